/* Linear memory, the PA-RISC way: little-endian by definition of WebAssembly, read and written byte by byte, so unaligned access
 * is safe and strings and buffers are plain C strings and buffers.
 *
 * Half of the generated code is loads and stores. As functions of C they would spoil all the caller-saved registers each time; as
 * millicode (like the compiler's own $$mulI: called through %r31) they take the address in %r26, take or give a value in %r28 or
 * %r28:%r29 (one register for both: much is loaded only to be stored), and spoil nothing but %r1, %r26 and %r31. That halves the
 * program. The generated definitions of i32_load and its kin are left out when the generated C is prepared, and the macros below
 * take their place.
 *
 * Every access is checked against the whole memory. An address that wraps around 2^32 is checked after wrapping. */
#ifndef MAPPROBE_MEMORY_H
#define MAPPROBE_MEMORY_H

#define CAPACITY 0x500000
#define TEXT(number) #number
#define VALUE(number) TEXT(number)

static uint8_t memory[CAPACITY] __attribute__((aligned(16), used));
__attribute__((noreturn)) void out_of_bounds(void);

/* %r26 becomes an address of the machine in %r1, if `bytes` bytes are there. (A branch forwards with ,n skips the instruction after it
 * only when it is taken.) */
#define PLACE(bytes) \
  " ldil L%" VALUE(CAPACITY) "-" #bytes ",%r1\n ldo R%" VALUE(CAPACITY) "-" #bytes "(%r1),%r1\n" \
  " cmpb,<<,n %r1,%r26,outside_\n" \
  " addil L%memory-$global$,%r27\n ldo R%memory-$global$(%r1),%r1\n add,l %r1,%r26,%r1\n"
/* A word from the four bytes at `at`, lowest first, without its last step; the same in the other direction. PA-RISC counts bits from
 * the left: 31 is the lowest. */
#define GET(at, reg) \
  " ldb " #at "+0(%r1)," reg "\n" \
  " ldb " #at "+1(%r1),%r26\n dep %r26,23,8," reg "\n" \
  " ldb " #at "+2(%r1),%r26\n dep %r26,15,8," reg "\n" \
  " ldb " #at "+3(%r1),%r26\n"
#define PUT(at, reg) \
  " stb " reg "," #at "+0(%r1)\n" \
  " extru " reg ",23,8,%r26\n stb %r26," #at "+1(%r1)\n" \
  " extru " reg ",15,8,%r26\n stb %r26," #at "+2(%r1)\n" \
  " extru " reg ",7,8,%r26\n"
#define RETURN " bv %r0(%r31)\n"

asm(".text\n"
    "load8_:\n" PLACE(1) RETURN " ldb 0(%r1),%r28\n"
    "load16_:\n" PLACE(2) " ldb 0(%r1),%r28\n ldb 1(%r1),%r26\n" RETURN " dep %r26,23,8,%r28\n"
    "load32_:\n" PLACE(4) GET(0, "%r28") RETURN " dep %r26,7,8,%r28\n"
    "load64_:\n" PLACE(8) GET(0, "%r29") " dep %r26,7,8,%r29\n" GET(4, "%r28") RETURN " dep %r26,7,8,%r28\n"
    "store8_:\n" PLACE(1) RETURN " stb %r28,0(%r1)\n"
    "store16_:\n" PLACE(2) " stb %r28,0(%r1)\n extru %r28,23,8,%r26\n" RETURN " stb %r26,1(%r1)\n"
    "store32_:\n" PLACE(4) PUT(0, "%r28") RETURN " stb %r26,3(%r1)\n"
    "store64_:\n" PLACE(8) PUT(0, "%r29") " stb %r26,3(%r1)\n" PUT(4, "%r28") RETURN " stb %r26,7(%r1)\n"
    "outside_:\n bl out_of_bounds,%r2\n ldo 64(%r30),%r30\n");

/* The address goes into %r26 in the delay slot of the call; as a memory operand it may carry a displacement. The call has written
 * %r31 by then, so the address must not be made of it: an output before the inputs are read. To name it among what is spoiled is not
 * enough: gcc 12 folds `ldo 4(%r31),%r19` into the operand all the same (reload_combine in gcc/postreload.c), and the call stores
 * to where it returns. -ffixed-%r31 keeps it from every other use, too, and `dist` looks at each call. */
#define LOAD(name, type) \
  static inline __attribute__((always_inline)) type name(u32 at) { \
    register type value asm("r28"); \
    register u32 back asm("r31"); \
    asm volatile("bl " #name "_,%%r31\n\tldo %2,%%r26" \
                 : "=r"(value), "=&r"(back) : "m"(*(const volatile char *)at) : "r1", "r26", "memory"); \
    return value; \
  }
#define STORE(name, type) \
  static inline __attribute__((always_inline)) void name(u32 at, type given) { \
    register type value asm("r28") = given; \
    register u32 back asm("r31"); \
    asm volatile("bl " #name "_,%%r31\n\tldo %2,%%r26" \
                 : "=&r"(back) : "r"(value), "m"(*(const volatile char *)at) : "r1", "r26", "memory"); \
  }
LOAD(load8, u32)
LOAD(load16, u32)
LOAD(load32, u32)
LOAD(load64, u64)
STORE(store8, u32)
STORE(store16, u32)
STORE(store32, u32)
STORE(store64, u64)

/* What wasm2c's code calls. There is one memory, so its first argument says nothing. */
#define i32_load(m, at) load32((u32)(at))
#define i64_load(m, at) load64((u32)(at))
#define i32_load8_s(m, at) ((u32)(s32)(s8)load8((u32)(at)))
#define i64_load8_s(m, at) ((u64)(s64)(s8)load8((u32)(at)))
#define i32_load8_u(m, at) load8((u32)(at))
#define i64_load8_u(m, at) ((u64)load8((u32)(at)))
#define i32_load16_s(m, at) ((u32)(s32)(s16)load16((u32)(at)))
#define i64_load16_s(m, at) ((u64)(s64)(s16)load16((u32)(at)))
#define i32_load16_u(m, at) load16((u32)(at))
#define i64_load16_u(m, at) ((u64)load16((u32)(at)))
#define i64_load32_s(m, at) ((u64)(s64)(s32)load32((u32)(at)))
#define i64_load32_u(m, at) ((u64)load32((u32)(at)))
#define i32_store(m, at, value) store32((u32)(at), value)
#define i64_store(m, at, value) store64((u32)(at), value)
#define i32_store8(m, at, value) store8((u32)(at), value)
#define i32_store16(m, at, value) store16((u32)(at), value)
#define i64_store8(m, at, value) store8((u32)(at), (u32)(value))
#define i64_store16(m, at, value) store16((u32)(at), (u32)(value))
#define i64_store32(m, at, value) store32((u32)(at), (u32)(value))
#endif
