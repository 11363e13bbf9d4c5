/* version.h - version of the library and of the model format */
#ifndef TIDEMILL_VERSION_H
#define TIDEMILL_VERSION_H
#define TIDE_VERSION       "0.1.0"
#define TIDE_VERSION_MAJOR 0
#define TIDE_VERSION_MINOR 1
#define TIDE_VERSION_PATCH 0
#endif
