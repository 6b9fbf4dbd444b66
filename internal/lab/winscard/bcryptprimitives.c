/*
 * A bcryptprimitives.dll for Wine 8, which Go's runtime loads before anything else. It gives
 * Go's programs what that Wine lacks:
 *
 * - ProcessPrng, for random numbers;
 * - the answer by which Go knows that FileDispositionInformationEx, a way to delete files,
 *   is not there: as Windows before 10 gives it, instead of "not implemented".
 */
#include <windows.h>
#include <string.h>

BOOLEAN WINAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom, of advapi32 */

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
	for (; length > 0xFFFF; data += 0xFFFF, length -= 0xFFFF)
		if (!SystemFunction036(data, 0xFFFF))
			return FALSE;
	return SystemFunction036(data, (ULONG)length);
}

enum { CALL_SIZE = 32, DISPOSITION_EX = 64 };
#define NOT_IMPLEMENTED ((LONG)0xC0000002)
#define INVALID_INFO_CLASS ((LONG)0xC0000003)

typedef LONG(WINAPI *set_information)(HANDLE, PVOID, PVOID, ULONG, ULONG);
static set_information wine_set_information;

static LONG WINAPI set_information_file(HANDLE file, PVOID status, PVOID information, ULONG length, ULONG class)
{
	LONG answer = wine_set_information(file, status, information, length, class);
	return class == DISPOSITION_EX && answer == NOT_IMPLEMENTED ? INVALID_INFO_CLASS : answer;
}

/* The system call's few instructions can stand anywhere: a copy of them is called, and a
 * jump takes their place. */
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved)
{
	unsigned char jump[12] = {0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0}; /* mov rax, …; jmp rax */
	(void)instance, (void)reserved;
	if (reason != DLL_PROCESS_ATTACH)
		return TRUE;
	unsigned char *call = (unsigned char *)(ULONG_PTR)GetProcAddress(GetModuleHandleA("ntdll.dll"), "NtSetInformationFile");
	unsigned char *copy = VirtualAlloc(NULL, CALL_SIZE, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
	set_information own = set_information_file;
	DWORD before;
	if (call == NULL || copy == NULL || memcmp(call, "\x4C\x8B\xD1\xB8", 4) != 0 || !VirtualProtect(call, CALL_SIZE, PAGE_EXECUTE_READWRITE, &before))
		return TRUE; /* another Wine; what it lacks will show */
	memcpy(copy, call, CALL_SIZE);
	memcpy(&wine_set_information, &copy, sizeof copy);
	memcpy(jump + 2, &own, sizeof own);
	memcpy(call, jump, sizeof jump);
	return VirtualProtect(call, CALL_SIZE, before, &before);
}
