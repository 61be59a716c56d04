/*
 * Build options of this library: none, so every group of features is computed. A generated library has
 * here the groups that its model does not use, one line each: #define SER_WITH_CHROMA 0
 */
#ifndef SER_CONFIG_H
#define SER_CONFIG_H

#endif
