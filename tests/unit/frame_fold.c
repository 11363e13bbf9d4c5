/* Folds and hold-outs: the rows split.* of the check table, and independence of order. */
#include "frame/frame.h"
#include "support/unit.h"

/* wine: 59, 71 and 48 rows of three classes, in this order */
#define WINE 178
static int32_t wine_class[WINE];

static void fill_wine(void)
{
    for (int i = 0; i < WINE; i++) wine_class[i] = i < 59 ? 0 : i < 130 ? 1 : 2;
}

TEST(stratified_folds_of_wine_in_file_order)
{
    static const int sizes[5][3] = {
        {12, 14, 10}, {12, 14, 10}, {12, 14, 10}, {12, 14, 9}, {11, 15, 9}};
    static const int sums[5] = {2328, 2768, 3208, 3479, 3970};
    int32_t fold[WINE];
    int count[5][3] = {{0}}, sum[5] = {0};
    fill_wine();
    CHECK_INT(fold_assign(WINE, NULL, wine_class, 3, 5, FOLD_FILE, 0, fold, NULL),
              TIDE_OK);
    for (int i = 0; i < WINE; i++) {
        count[fold[i]][wine_class[i]]++;
        sum[fold[i]] += i;
    }
    for (int f = 0; f < 5; f++) {
        for (int c = 0; c < 3; c++) CHECK_INT(count[f][c], sizes[f][c]);
        CHECK_INT(sum[f], sums[f]);
    }
}

TEST(plain_folds_of_wine_are_contiguous)
{
    static const int sums[5] = {630, 1926, 3222, 4375, 5600};
    int32_t fold[WINE];
    int sum[5] = {0};
    CHECK_INT(fold_assign(WINE, NULL, NULL, 0, 5, FOLD_FILE, 0, fold, NULL), TIDE_OK);
    for (int i = 0; i < WINE; i++) sum[fold[i]] += i;
    for (int f = 0; f < 5; f++) CHECK_INT(sum[f], sums[f]);
}

TEST(stratified_folds_number_classes_by_first_appearance)
{
    static const int32_t y[8] = {0, 1, 1, 1, 0, 0, 1, 0};
    static const int32_t want[8] = {0, 0, 0, 1, 0, 1, 1, 1};
    int32_t fold[8], flipped[8];
    CHECK_INT(fold_assign(8, NULL, y, 2, 2, FOLD_FILE, 0, fold, NULL), TIDE_OK);
    for (int i = 0; i < 8; i++) CHECK_INT(fold[i], want[i]);
    for (int i = 0; i < 8; i++) flipped[i] = 1 - y[i];
    CHECK_INT(fold_assign(8, NULL, flipped, 2, 2, FOLD_FILE, 0, fold, NULL), TIDE_OK);
    for (int i = 0; i < 8; i++) CHECK_INT(fold[i], want[i]);
}

TEST(reference_split_is_crc32_of_the_row_number)
{
    int32_t fold[200];
    int64_t ids[200];
    CHECK_INT(fold_assign(200, NULL, NULL, 0, 5, FOLD_CRC32, 0, fold, NULL), TIDE_OK);
    CHECK_INT(fold[0], (int)(0xf4dbdf21u % 5));  /* crc32("0") */
    CHECK_INT(fold[1], (int)(0x83dcefb7u % 5));  /* crc32("1") */
    CHECK_INT(fold[10], (int)(0xa15d25e1u % 5)); /* crc32("10") */
    int32_t other[200];
    for (int i = 0; i < 200; i++) ids[i] = 199 - i;
    CHECK_INT(fold_assign(200, ids, NULL, 0, 5, FOLD_CRC32, 0, other, NULL), TIDE_OK);
    for (int i = 0; i < 200; i++) CHECK_INT(other[i], fold[199 - i]);
}

TEST(shuffled_folds_are_balanced_and_follow_the_ids)
{
    enum { N = 1003 };
    int32_t cls[N], fold[N], again[N], back[N], cls_back[N];
    int64_t ids[N];
    int count[7] = {0}, in_class[7][3] = {{0}};
    for (int i = 0; i < N; i++) cls[i] = i % 10 == 0 ? 2 : i % 3 == 0;
    CHECK_INT(fold_assign(N, NULL, cls, 3, 7, FOLD_PHILOX, 42, fold, NULL), TIDE_OK);
    for (int i = 0; i < N; i++) {
        count[fold[i]]++;
        in_class[fold[i]][cls[i]]++;
        ids[i] = N - 1 - i;
        cls_back[i] = cls[N - 1 - i];
    }
    for (int f = 0; f < 7; f++) {
        CHECK(count[f] == N / 7 || count[f] == N / 7 + 1);
        for (int c = 0; c < 3; c++) CHECK(abs(in_class[f][c] - in_class[0][c]) <= 1);
    }
    CHECK_INT(fold_assign(N, NULL, cls, 3, 7, FOLD_PHILOX, 42, again, NULL), TIDE_OK);
    CHECK(memcmp(fold, again, sizeof fold) == 0);
    CHECK_INT(fold_assign(N, NULL, cls, 3, 7, FOLD_PHILOX, 43, again, NULL), TIDE_OK);
    CHECK(memcmp(fold, again, sizeof fold) != 0);
    CHECK_INT(fold_assign(N, ids, cls_back, 3, 7, FOLD_PHILOX, 42, back, NULL),
              TIDE_OK);
    for (int i = 0; i < N; i++) CHECK_INT(back[i], fold[N - 1 - i]);
}

TEST(folds_that_cannot_be_made)
{
    static const int32_t cls[8] = {0, 0, 0, 0, 0, 1, 1, 1};
    int32_t fold[8];
    tide_error err;
    CHECK_INT(fold_assign(8, NULL, cls, 2, 5, FOLD_PHILOX, 1, fold, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_FOLDS);
    CHECK_STR(err.message, "class 1 has 3 rows, 5 folds need 5");
    CHECK_STR(err.option, "cv");
    CHECK_STR(err.value, "3");
    CHECK_INT(fold_assign(3, NULL, NULL, 0, 5, FOLD_PHILOX, 1, fold, &err), TIDE_EDATA);
    CHECK_STR(err.message, "3 rows cannot make 5 folds");
}

TEST(hold_out_marks_a_share_of_every_class)
{
    enum { N = 1000 };
    int32_t cls[N];
    uint8_t mark[N], again[N];
    int count[2] = {0};
    for (int i = 0; i < N; i++) cls[i] = i < 30;
    CHECK_INT(fold_holdout(N, NULL, cls, 2, 0.2, 7, mark, NULL), TIDE_OK);
    for (int i = 0; i < N; i++) count[cls[i]] += mark[i];
    CHECK_INT(count[0], 194);
    CHECK_INT(count[1], 6);
    CHECK_INT(fold_holdout(N, NULL, NULL, 0, 0.25, 7, again, NULL), TIDE_OK);
    count[0] = 0;
    for (int i = 0; i < N; i++) count[0] += again[i];
    CHECK_INT(count[0], 250);
}

/* ---- groups ---- */

enum { GROUPED = 1000 };
static int64_t group_of[GROUPED];

/* Groups of 1 to 40 rows that are scattered. */
static void fill_groups(void)
{
    for (int i = 0; i < GROUPED; i++) {
        uint32_t h = (uint32_t)i * 2654435761u >> 8;
        group_of[i] = (int64_t)(h % 40 * (h / 64 % 3)) * 1000000007 - 5;
    }
}

TEST(folds_keep_groups_whole_and_even)
{
    int32_t fold[GROUPED];
    int rows[5] = {0};
    fill_groups();
    CHECK_INT(fold_assign_groups(GROUPED, group_of, 5, 1, fold, NULL), TIDE_OK);
    for (int i = 0; i < GROUPED; i++) {
        CHECK(fold[i] >= 0 && fold[i] < 5);
        rows[fold[i]]++;
        for (int j = 0; j < i; j++)
            CHECK(group_of[j] != group_of[i] || fold[j] == fold[i]);
    }
    int largest = 0;
    for (int i = 0; i < GROUPED; i++) {
        int n = 0;
        for (int j = 0; j < GROUPED; j++) n += group_of[j] == group_of[i];
        largest = n > largest ? n : largest;
    }
    for (int f = 0; f < 5; f++) /* as even as the largest group allows */
        CHECK_MSG(rows[f] <= (largest > 220 ? largest : 220), "%d rows", rows[f]);
}

TEST(folds_of_groups_depend_on_keys_alone)
{
    int32_t a[GROUPED], b[GROUPED], c[GROUPED];
    int64_t turned[GROUPED];
    int differ = 0;
    for (int i = 0; i < GROUPED; i++) group_of[i] = i / 10;
    for (int i = 0; i < GROUPED; i++) turned[i] = group_of[(i * 7 + 3) % GROUPED];
    CHECK_INT(fold_assign_groups(GROUPED, group_of, 5, 1, a, NULL), TIDE_OK);
    CHECK_INT(fold_assign_groups(GROUPED, turned, 5, 1, b, NULL), TIDE_OK);
    CHECK_INT(fold_assign_groups(GROUPED, group_of, 5, 2, c, NULL), TIDE_OK);
    for (int i = 0; i < GROUPED; i++) {
        CHECK_INT(b[i], a[(i * 7 + 3) % GROUPED]);
        differ += a[i] != c[i];
    }
    CHECK(differ > GROUPED / 2);
}

TEST(a_hold_out_takes_whole_groups)
{
    static const double share[] = {0.01, 0.2, 0.5, 0.99};
    fill_groups();
    for (int s = 0; s < 4; s++) {
        uint8_t mark[GROUPED];
        int held = 0;
        CHECK_INT(fold_holdout_groups(GROUPED, group_of, share[s], 3, mark, NULL),
                  TIDE_OK);
        for (int i = 0; i < GROUPED; i++) {
            held += mark[i];
            for (int j = 0; j < i; j++)
                CHECK(group_of[j] != group_of[i] || mark[j] == mark[i]);
        }
        CHECK(held > 0 && held < GROUPED);
        if (s == 1) CHECK_MSG(held > 100 && held < 300, "%d", held);
    }
}

TEST(too_few_groups_are_refused)
{
    int64_t three[9] = {1, 1, 2, 2, 2, 3, 3, 1, 1}, one[4] = {7, 7, 7, 7};
    int32_t fold[9];
    uint8_t mark[4];
    tide_error err = {0};
    CHECK_INT(fold_groups(three, 9), 3);
    CHECK_INT(fold_groups(NULL, 9), 0);
    CHECK_INT(fold_assign_groups(9, three, 5, 1, fold, &err), TIDE_EDATA);
    CHECK_STR(err.message, "3 groups cannot make 5 folds");
    CHECK_STR(err.value, "3");
    CHECK_INT(fold_assign_groups(9, three, 3, 1, fold, &err), TIDE_OK);
    CHECK_INT(fold_holdout_groups(4, one, 0.5, 1, mark, &err), TIDE_EDATA);
    CHECK_STR(err.message, "1 group cannot make 2 folds");
}
