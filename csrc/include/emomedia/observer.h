/* A native function that sees each composite inside the core, before it is encoded. Plain C. */
#ifndef EMOMEDIA_OBSERVER_H
#define EMOMEDIA_OBSERVER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes what it measures of one composite to `measures`, as many values as the job says.
 *
 * The picture is 4:2:0: planes of width x height samples (y) and half as many across and down (u, v), rounded
 * up, of one byte each, or of two in native order where `depth` is over 8; strides are in bytes, `frame` is
 * the composite's number in the session, and of `damaged` bit 0 tells that the left half is, bit 1 the right.
 * Everything is borrowed for the call.
 *
 * Called on the workers' threads, several at a time, for each frame at least once: what it writes may depend
 * on the arguments alone. It must not throw or unwind. */
typedef void (*emomedia_observe)(void* context, int64_t frame, uint32_t damaged, const uint8_t* y, const uint8_t* u,
                                 const uint8_t* v, int64_t y_stride, int64_t u_stride, int64_t v_stride,
                                 int32_t width, int32_t height, int32_t depth, float* measures);

#ifdef __cplusplus
}
#endif

#endif
