/* What Ollama's sources use of the library miniaudio, which no registry has that we reach: every sound is refused. */
#include <stddef.h>
#include <stdint.h>

typedef int ma_result;
typedef uint64_t ma_uint64;
typedef int ma_decoder;
typedef int ma_decoder_config;
enum { MA_SUCCESS = 0, MA_NOT_IMPLEMENTED = -29, ma_format_f32 = 5 };

static ma_decoder_config ma_decoder_config_init(int format, int channels, int rate) {
    return 0;
}
static ma_result ma_decoder_init_memory(const void *sound, size_t size, const ma_decoder_config *config, ma_decoder *decoder) {
    return MA_NOT_IMPLEMENTED;
}
static ma_result ma_decoder_get_length_in_pcm_frames(ma_decoder *decoder, ma_uint64 *frames) {
    return MA_NOT_IMPLEMENTED;
}
static ma_result ma_decoder_read_pcm_frames(ma_decoder *decoder, void *into, ma_uint64 frames, ma_uint64 *read) {
    return MA_NOT_IMPLEMENTED;
}
static ma_result ma_decoder_uninit(ma_decoder *decoder) {
    return MA_SUCCESS;
}
