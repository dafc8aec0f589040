#include "textflag.h"

// func Lines(at *[Group]uintptr)
TEXT ·Lines(SB), NOSPLIT, $0-4
	MOVW at+0(FP), R0
	MOVW 0(R0), R1
	PLD 0(R1)
	MOVW 4(R0), R2
	PLD 0(R2)
	MOVW 8(R0), R1
	PLD 0(R1)
	MOVW 12(R0), R2
	PLD 0(R2)
	MOVW 16(R0), R1
	PLD 0(R1)
	MOVW 20(R0), R2
	PLD 0(R2)
	MOVW 24(R0), R1
	PLD 0(R1)
	MOVW 28(R0), R2
	PLD 0(R2)
	RET

// func line(at unsafe.Pointer)
TEXT ·line(SB), NOSPLIT, $0-4
	MOVW at+0(FP), R0
	PLD 0(R0)
	RET
