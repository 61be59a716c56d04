#include "ser_outbox.h"

enum { UNSENT = -1, DONE = -2 };

static int at(const ser_outbox *outbox, int i)
{
    return (outbox->first + i) % SER_OUTBOX_PLACES;
}

/* What is done at the front makes room. */
static void tidy(ser_outbox *outbox)
{
    while (outbox->count > 0 && outbox->message[outbox->first] == DONE) {
        outbox->first = at(outbox, 1);
        outbox->count--;
    }
}

void ser_outbox_init(ser_outbox *outbox)
{
    outbox->first = 0;
    outbox->count = 0;
    outbox->dropped = 0;
}

void ser_outbox_put(ser_outbox *outbox, const ser_message_sentence *sentence)
{
    if (outbox->count == SER_OUTBOX_PLACES) {
        outbox->first = at(outbox, 1);
        outbox->count--;
        outbox->dropped++;
        tidy(outbox);
    }
    outbox->sentence[at(outbox, outbox->count)] = *sentence;
    outbox->message[at(outbox, outbox->count)] = UNSENT;
    outbox->count++;
}

int ser_outbox_next(const ser_outbox *outbox)
{
    for (int i = 0; i < outbox->count; i++) {
        if (outbox->message[at(outbox, i)] == UNSENT) {
            return at(outbox, i);
        }
    }
    return -1;
}

ser_message_sentence *ser_outbox_sentence(ser_outbox *outbox, int place)
{
    return &outbox->sentence[place];
}

void ser_outbox_sent(ser_outbox *outbox, int place, int32_t message)
{
    outbox->message[place] = message;
}

void ser_outbox_acknowledged(ser_outbox *outbox, int32_t message)
{
    for (int i = 0; i < outbox->count && message >= 0; i++) {
        if (outbox->message[at(outbox, i)] == message) {
            outbox->message[at(outbox, i)] = DONE;
            break;
        }
    }
    tidy(outbox);
}

void ser_outbox_again(ser_outbox *outbox)
{
    for (int i = 0; i < outbox->count; i++) {
        if (outbox->message[at(outbox, i)] != DONE) {
            outbox->message[at(outbox, i)] = UNSENT;
        }
    }
}

int ser_outbox_waiting(const ser_outbox *outbox)
{
    int waiting = 0;
    for (int i = 0; i < outbox->count; i++) {
        waiting += outbox->message[at(outbox, i)] != DONE;
    }
    return waiting;
}
