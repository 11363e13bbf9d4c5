/* adds only comfort: a theme switch and tables sorted by their heads */
(function () {
  "use strict";
  var root = document.documentElement, live = document.createElement("p");
  var bar = document.createElement("div"), button = document.createElement("button");
  var names = ["system", "light", "dark"], now = 0;
  function say(text) { live.textContent = text; }
  live.className = "skip";
  live.setAttribute("aria-live", "polite");
  document.getElementById("main").appendChild(live);
  bar.className = "bar";
  button.type = "button";
  function label() { button.textContent = "theme: " + names[now]; }
  label();
  button.addEventListener("click", function () {
    now = (now + 1) % 3;
    if (now) root.setAttribute("data-theme", names[now]);
    else root.removeAttribute("data-theme");
    label();
  });
  bar.appendChild(button);
  document.querySelector("header").prepend(bar);
  function number(s) {
    var v = parseFloat(s.replace(/[, ]/g, ""));
    return isNaN(v) ? -Infinity : v;
  }
  document.querySelectorAll("table.sort").forEach(function (table) {
    table.querySelectorAll("thead th").forEach(function (th, column) {
      var b = document.createElement("button"), up = false;
      b.type = "button";
      while (th.firstChild) b.appendChild(th.firstChild);
      th.appendChild(b);
      b.addEventListener("click", function () {
        var body = table.tBodies[0], rows = Array.from(body.rows);
        var numeric = th.className === "r";
        up = !up;
        rows.sort(function (p, q) {
          var a = p.cells[column].textContent, z = q.cells[column].textContent;
          var d = numeric ? number(z) - number(a) : a < z ? -1 : a > z ? 1 : 0;
          return up ? d : -d;
        });
        rows.forEach(function (row) { body.appendChild(row); });
        table.querySelectorAll("thead th").forEach(function (h) { h.removeAttribute("aria-sort"); });
        th.setAttribute("aria-sort", numeric === up ? "descending" : "ascending");
        say("sorted by " + b.textContent);
      });
    });
  });
})();
