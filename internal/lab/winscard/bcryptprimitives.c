/*
 * A bcryptprimitives.dll for Wine before 9, which has none, though Go's runtime wants its
 * one function for random numbers.
 */
#include <windows.h>

BOOLEAN WINAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom, of advapi32 */

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
	for (; length > 0xFFFF; data += 0xFFFF, length -= 0xFFFF)
		if (!SystemFunction036(data, 0xFFFF))
			return FALSE;
	return SystemFunction036(data, (ULONG)length);
}
