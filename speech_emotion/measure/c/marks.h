/* Functions that do nothing, where the counting plug-in (counts.c) sees a region begin and end. */
#ifndef MARKS_H
#define MARKS_H

static volatile int region;

/* The numbers differ, or the compiler would make one function of two. */
#define MARK(name, number)                    \
    void name(void);                          \
    __attribute__((noinline)) void name(void) \
    {                                         \
        region = number;                      \
    }

#endif
