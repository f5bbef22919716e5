/* Makes a list of system calls and exits. `bench/src/baseline.rs` replaces CONSTANTS and CALLS and
 * defines OUTPUT_BYTES, ZERO_SLOT, DISCARD_SLOT, SLOTS and TOUCH. There is no C library, so the
 * program does nothing beside the calls. */

struct call {
	unsigned short number;
	/* The slot for the result, or DISCARD_SLOT. */
	unsigned short result_slot;
	/* The slot that is added to an argument, or ZERO_SLOT. */
	unsigned short base_slot;
	unsigned char argument;
	/* If not 0, the base is first rounded up to an odd multiple of 2 to this power. */
	unsigned char power;
	/* Indices of `constants`. */
	unsigned short arguments[6];
};

static char output[OUTPUT_BYTES] __attribute__((aligned(16)));
static unsigned long slots[SLOTS];

CONSTANTS
CALLS

static unsigned long system_call(unsigned long number, const unsigned long *a)
{
	register unsigned long r10 __asm__("r10") = a[3];
	register unsigned long r8 __asm__("r8") = a[4];
	register unsigned long r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall"
			 : "+a"(number)
			 : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return number;
}

/* Stores a byte in a child process, and waits for the child. */
static unsigned long touch(unsigned long address)
{
	static const unsigned long none[6];
	unsigned long pid = system_call(56 /* clone */, none);

	if (pid == 0) {
		*(volatile char *)address = 0;
		for (;;)
			system_call(231 /* exit_group */, none);
	}
	return system_call(61 /* wait4 */, (const unsigned long[6]){pid, 0, 0x40000000 /* __WALL */});
}

void _start(void)
{
	static const unsigned long exit_code[6];

	for (const struct call *call = calls; call < calls + sizeof calls / sizeof *calls; call++) {
		unsigned long a[6], base = slots[call->base_slot], size = 1UL << call->power;

		for (int i = 0; i < 6; i++)
			a[i] = constants[call->arguments[i]];
		if (call->power)
			base = ((base + size - 1) & -size) | size;
		a[call->argument] += base;
		slots[call->result_slot] =
			call->number == TOUCH ? touch(a[0]) : system_call(call->number, a);
	}
	for (;;)
		system_call(231 /* exit_group */, exit_code);
}
