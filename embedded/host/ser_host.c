/* What Python needs besides the public API when the extractor runs on a computer: sizes, the hash, the gate
   over a whole recording, and mel levels and the encoder by themselves. */
#include "ser_listen.h"
#include "ser_window.h"

#include <string.h>

size_t ser_host_state_size(void);
size_t ser_host_window_size(void);
uint64_t ser_host_schema_hash(void);
size_t ser_host_listen_size(void);
int ser_host_listen(ser_listen *listen, const int16_t *pcm);
int ser_host_listen_kept(const ser_listen *listen);
float ser_host_listen_dbfs(const ser_listen *listen, int of_the_room);
size_t ser_host_sentences(const int16_t *pcm, size_t hops, uint32_t *bounds, size_t room, uint32_t *discarded);
#if SER_WITH_ENCODER
size_t ser_host_mel(ser_extractor *extractor, const int16_t *pcm, size_t count, int32_t *mel);
size_t ser_host_encoder(ser_encoder *encoder, const int32_t *mel, size_t frames, uint8_t *units);
size_t ser_host_encoder_size(void);
#endif

size_t ser_host_state_size(void) { return sizeof(ser_extractor); }
size_t ser_host_window_size(void) { return sizeof(ser_window); }
uint64_t ser_host_schema_hash(void) { return SER_SCHEMA_HASH; }

/* The sentences of a recording as the gate of a board that was switched on with it would cut them: bounds gets
   the first hop of each and the one after its last, for as many as there is room for. Returns how many there
   are. What still goes on at the end is one if it is long enough; *discarded: what was too short to be one. */
size_t ser_host_sentences(const int16_t *pcm, size_t hops, uint32_t *bounds, size_t room, uint32_t *discarded)
{
    ser_listen listen;
    ser_block block;
    size_t found = 0;
    uint32_t begin = 0;
    memset(&block, 0, sizeof block);
    (void)ser_listen_init(&listen);
    *discarded = 0;
    for (size_t hop = 0; hop < hops; hop++) {
        memcpy(block.sample, pcm + hop * SER_HOP, sizeof block.sample);
        const ser_listen_event event = ser_listen_push(&listen, &block);
        if (event == SER_LISTEN_BEGIN) {
            begin = (uint32_t)hop + 1u - (uint32_t)ser_listen_kept(&listen);
        }
        const int last = hop + 1 == hops && (event == SER_LISTEN_BEGIN || event == SER_LISTEN_SPEECH);
        const int whole = !last || listen.active >= listen.settings.shortest;
        if (event == SER_LISTEN_DISCARD || (last && !whole)) {
            (*discarded)++;
        } else if (event == SER_LISTEN_END || last) {
            if (found < room) {
                bounds[2 * found] = begin;
                bounds[2 * found + 1] = (uint32_t)hop + 1u;
            }
            found++;
        }
    }
    return found;
}

#if SER_WITH_ENCODER
/* The mel levels of every frame of a clip, SER_MELS each, as the chip has them. Returns how many frames there are. */
size_t ser_host_mel(ser_extractor *extractor, const int16_t *pcm, size_t count, int32_t *mel)
{
    (void)ser_extractor_init(extractor);
    for (size_t i = 0; i < count; i++) {
        const uint32_t before = extractor->gate.frames;
        (void)ser_extractor_push(extractor, pcm + i, 1);
        if (extractor->gate.frames != before) {
            memcpy(mel + (size_t)before * SER_MELS, extractor->spectrum.mel, sizeof extractor->spectrum.mel);
        }
    }
    return extractor->gate.frames;
}

size_t ser_host_encoder_size(void) { return sizeof(ser_encoder); }

/* What the encoder answers to such levels, SER_ENCODER_UNITS bytes each time. Returns how often it does. */
size_t ser_host_encoder(ser_encoder *encoder, const int32_t *mel, size_t frames, uint8_t *units)
{
    size_t found = 0;
    ser_encoder_reset(encoder);
    for (size_t frame = 0; frame < frames; frame++) {
        found += (size_t)ser_encoder_push(encoder, mel + frame * SER_MELS, units + found * SER_ENCODER_UNITS);
    }
    return found;
}
#endif

size_t ser_host_listen_size(void) { return sizeof(ser_listen); }

/* What the next SER_HOP samples are to the gate: a ser_listen_event. */
int ser_host_listen(ser_listen *listen, const int16_t *pcm)
{
    ser_block block;
    memset(&block, 0, sizeof block);
    memcpy(block.sample, pcm, sizeof block.sample);
    return (int)ser_listen_push(listen, &block);
}

int ser_host_listen_kept(const ser_listen *listen) { return ser_listen_kept(listen); }

/* The level that is heard, or that of the room, as the board prints them. */
float ser_host_listen_dbfs(const ser_listen *listen, int of_the_room)
{
    return ser_listen_dbfs(of_the_room ? listen->floor : listen->power);
}
