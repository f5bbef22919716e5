/* Loads and stores of WebAssembly's linear memory, which is little-endian by definition.
 *
 * They replace those that wasm2c generates: its big-endian variant keeps memory backwards, so that
 * strings and buffers could not be passed to the kernel. Reading and writing byte by byte needs
 * neither alignment nor a byte order.
 *
 * The functions are not inlined and take neither the memory (there is one) nor a 64-bit address:
 * with wasm2c's own signatures the program is about a third larger. An address that wraps around
 * 2^32 is checked after wrapping, so every access stays inside the memory. */
#ifndef MAPPROBE_MEMORY_H
#define MAPPROBE_MEMORY_H
#include "wasm-rt.h"

/* 1 MiB of stack, the program's data, and its heap of 4 MiB. Pages that are never touched cost
 * nothing. */
#define MEMORY_SIZE 0x600000
static uint8_t memory[MEMORY_SIZE];

#define DEFINE_GET(name, type)                                              \
  static __attribute__((noinline)) type name(uint32_t addr) {               \
    if (addr > MEMORY_SIZE - sizeof(type)) wasm_rt_trap(WASM_RT_TRAP_OOB);  \
    type value = 0;                                                         \
    for (size_t i = sizeof(type); i > 0; i--)                               \
      value = value << 8 | memory[addr + i - 1];                            \
    return value;                                                           \
  }
#define DEFINE_PUT(name, type)                                              \
  static __attribute__((noinline)) void name(uint32_t addr, type value) {   \
    if (addr > MEMORY_SIZE - sizeof(type)) wasm_rt_trap(WASM_RT_TRAP_OOB);  \
    for (size_t i = 0; i < sizeof(type); i++, value >>= 8)                  \
      memory[addr + i] = value;                                             \
  }

DEFINE_GET(get8, uint8_t)
DEFINE_GET(get16, uint16_t)
DEFINE_GET(get32, uint32_t)
DEFINE_GET(get64, uint64_t)
DEFINE_PUT(put8, uint8_t)
DEFINE_PUT(put16, uint16_t)
DEFINE_PUT(put32, uint32_t)
DEFINE_PUT(put64, uint64_t)

/* The names that wasm2c's code uses. A smaller value is extended with its sign (_s) or with zeros
 * (_u). */
#define i32_load(mem, addr) get32(addr)
#define i64_load(mem, addr) get64(addr)
#define i32_load8_s(mem, addr) ((uint32_t)(int8_t)get8(addr))
#define i64_load8_s(mem, addr) ((uint64_t)(int8_t)get8(addr))
#define i32_load8_u(mem, addr) ((uint32_t)get8(addr))
#define i64_load8_u(mem, addr) ((uint64_t)get8(addr))
#define i32_load16_s(mem, addr) ((uint32_t)(int16_t)get16(addr))
#define i64_load16_s(mem, addr) ((uint64_t)(int16_t)get16(addr))
#define i32_load16_u(mem, addr) ((uint32_t)get16(addr))
#define i64_load16_u(mem, addr) ((uint64_t)get16(addr))
#define i64_load32_s(mem, addr) ((uint64_t)(int32_t)get32(addr))
#define i64_load32_u(mem, addr) ((uint64_t)get32(addr))
#define i32_store(mem, addr, value) put32(addr, value)
#define i64_store(mem, addr, value) put64(addr, value)
#define i32_store8(mem, addr, value) put8(addr, value)
#define i64_store8(mem, addr, value) put8(addr, value)
#define i32_store16(mem, addr, value) put16(addr, value)
#define i64_store16(mem, addr, value) put16(addr, value)
#define i64_store32(mem, addr, value) put32(addr, value)
#endif
