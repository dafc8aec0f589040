#include "textflag.h"

// The bytes of a block in reverse.
DATA reverse<>+0x00(SB)/8, $0x08090a0b0c0d0e0f
DATA reverse<>+0x08(SB)/8, $0x0001020304050607
GLOBL reverse<>(SB), (NOPTR+RODATA), $16

// x^63 + x^62 + x^57, what a word at the low end of a product stands for one word up.
DATA fold<>+0x00(SB)/8, $0xc200000000000000
DATA fold<>+0x08(SB)/8, $0
GLOBL fold<>(SB), (NOPTR+RODATA), $16

// FIRST begins the 256 bits X5:X4, with the words across in X6, by the product of X1 and H.
#define FIRST(H) \
	MOVO X1, X4              \
	PCLMULQDQ $0x00, H, X4   \
	MOVO X1, X5              \
	PCLMULQDQ $0x11, H, X5   \
	MOVO X1, X6              \
	PCLMULQDQ $0x01, H, X6   \
	PCLMULQDQ $0x10, H, X1   \
	PXOR X1, X6

// NEXT adds the product of the block at AT and H.
#define NEXT(AT, H) \
	MOVOU AT(DX), X1         \
	PSHUFB X8, X1            \
	MOVO X1, X2              \
	PCLMULQDQ $0x00, H, X2   \
	PXOR X2, X4              \
	MOVO X1, X3              \
	PCLMULQDQ $0x11, H, X3   \
	PXOR X3, X5              \
	MOVO X1, X7              \
	PCLMULQDQ $0x01, H, X7   \
	PXOR X7, X6              \
	PCLMULQDQ $0x10, H, X1   \
	PXOR X1, X6

// REDUCE puts X6 where it belongs and makes the 256 bits 128 again, in X0: twice the low word is added one word and two words up.
#define REDUCE \
	MOVO X6, X7              \
	PSLLDQ $8, X7            \
	PSRLDQ $8, X6            \
	PXOR X7, X4              \
	PXOR X6, X5              \
	MOVO X9, X7              \
	PCLMULQDQ $0x00, X4, X7  \
	PSHUFD $78, X4, X4       \
	PXOR X7, X4              \
	MOVO X9, X7              \
	PCLMULQDQ $0x00, X4, X7  \
	PSHUFD $78, X4, X0       \
	PXOR X7, X0              \
	PXOR X5, X0

// func absorb(sum *element, p *powers, data *byte, n int)
TEXT ·absorb(SB), NOSPLIT, $0-32
	MOVQ sum+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ data+16(FP), DX
	MOVQ n+24(FP), CX
	MOVOU reverse<>(SB), X8
	MOVOU fold<>(SB), X9
	MOVOU (DI), X0
	PSHUFD $78, X0, X0
	MOVOU (SI), X10
	PSHUFD $78, X10, X10
	CMPQ CX, $4
	JB   ones
	MOVOU 16(SI), X11
	PSHUFD $78, X11, X11
	MOVOU 32(SI), X12
	PSHUFD $78, X12, X12
	MOVOU 48(SI), X13
	PSHUFD $78, X13, X13

fours:
	MOVOU (DX), X1
	PSHUFB X8, X1
	PXOR X0, X1
	FIRST(X13)
	NEXT(16, X12)
	NEXT(32, X11)
	NEXT(48, X10)
	REDUCE
	ADDQ $64, DX
	SUBQ $4, CX
	CMPQ CX, $4
	JAE  fours

ones:
	TESTQ CX, CX
	JZ    done
	MOVOU (DX), X1
	PSHUFB X8, X1
	PXOR X0, X1
	FIRST(X10)
	REDUCE
	ADDQ $16, DX
	DECQ CX
	JMP  ones

done:
	PSHUFD $78, X0, X0
	MOVOU X0, (DI)
	RET
