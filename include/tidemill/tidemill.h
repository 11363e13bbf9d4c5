/* tidemill.h - everything: frame, pipeline, model, scores, report */
#ifndef TIDEMILL_TIDEMILL_H
#define TIDEMILL_TIDEMILL_H
#include <tidemill/arrow.h>
#include <tidemill/ctx.h>
#include <tidemill/explain.h>
#include <tidemill/frame.h>
#include <tidemill/model.h>
#include <tidemill/params.h>
#include <tidemill/registry.h>
#include <tidemill/report.h>
#include <tidemill/status.h>
#include <tidemill/version.h>
#endif
