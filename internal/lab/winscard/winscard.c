/*
 * A winscard.dll for tests: it carries the calls of the Windows smart card API
 * to the practice lab, which serves pcsc-lite's protocol (winscard_msg.h, version
 * 4:5) at the address in LAB_PCSC, for example 127.0.0.1:4711. There is one
 * connection for each context, and one call at a time on it.
 *
 * LAB_PCSC_CODE, a number, is what SCardEstablishContext returns instead.
 */
#include <winsock2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <winscard.h>

enum {
	ESTABLISH = 0x01, RELEASE = 0x02, CONNECT = 0x04, RECONNECT = 0x05, DISCONNECT = 0x06, BEGIN = 0x07, END = 0x08,
	TRANSMIT = 0x09, STATUS = 0x0B, CANCEL = 0x0D, GET_ATTRIB = 0x0F, WAIT_CHANGE = 0x13, STOP_WAITING = 0x14,
	READERS = 16, NAME = 128, ATR = 33, ATTRIBUTE = 264, TABLE = 256,
};

struct reader {
	char name[NAME];
	uint32_t events, state;
	int32_t sharing;
	unsigned char atr[ATR], padding[3];
	uint32_t atr_size, protocol;
};

struct context {
	uint32_t id; /* 0: free */
	SOCKET socket;
	CRITICAL_SECTION busy;
};

struct card {
	uint32_t id; /* 0: free */
	struct context *context;
	char reader[NAME];
	uint32_t protocol;
};

static CRITICAL_SECTION tables;
static struct context contexts[TABLE];
static struct card cards[TABLE];

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved)
{
	(void)instance, (void)reserved;
	if (reason == DLL_PROCESS_ATTACH) {
		WSADATA data;
		InitializeCriticalSection(&tables);
		for (int i = 0; i < TABLE; i++)
			InitializeCriticalSection(&contexts[i].busy);
		return WSAStartup(MAKEWORD(2, 2), &data) == 0;
	}
	return TRUE;
}

/* The table of contexts and that of cards. */

static struct context *context_of(uint32_t id)
{
	struct context *found = NULL;
	EnterCriticalSection(&tables);
	for (int i = 0; i < TABLE && id != 0; i++)
		if (contexts[i].id == id)
			found = &contexts[i];
	LeaveCriticalSection(&tables);
	return found;
}

static struct card *card_of(uint32_t id)
{
	struct card *found = NULL;
	EnterCriticalSection(&tables);
	for (int i = 0; i < TABLE && id != 0; i++)
		if (cards[i].id == id)
			found = &cards[i];
	LeaveCriticalSection(&tables);
	return found;
}

/* The wire: a header of two words and a body go, a body comes back. */

static int push(SOCKET s, const void *data, size_t n)
{
	for (const char *p = data; n > 0;) {
		int sent = send(s, p, (int)n, 0);
		if (sent <= 0)
			return 0;
		p += sent, n -= sent;
	}
	return 1;
}

static int pull(SOCKET s, void *data, size_t n)
{
	for (char *p = data; n > 0;) {
		int got = recv(s, p, (int)n, 0);
		if (got <= 0)
			return 0;
		p += got, n -= got;
	}
	return 1;
}

static int ask(SOCKET s, uint32_t command, const void *body, uint32_t size)
{
	uint32_t header[2] = {size, command};
	return push(s, header, sizeof header) && push(s, body, size);
}

/* call exchanges a body whose last word is the return code. */
static LONG call(struct context *c, uint32_t command, void *body, uint32_t size)
{
	LONG rc = SCARD_E_SERVICE_STOPPED;
	EnterCriticalSection(&c->busy);
	if (ask(c->socket, command, body, size) && pull(c->socket, body, size))
		memcpy(&rc, (char *)body + size - 4, 4);
	LeaveCriticalSection(&c->busy);
	return rc;
}

static SOCKET dial(void)
{
	char where[64], *colon;
	struct sockaddr_in address = {.sin_family = AF_INET};
	DWORD n = GetEnvironmentVariableA("LAB_PCSC", where, sizeof where);
	if (n == 0 || n >= sizeof where || (colon = strchr(where, ':')) == NULL)
		return INVALID_SOCKET;
	*colon = 0;
	address.sin_addr.s_addr = inet_addr(where);
	address.sin_port = htons((u_short)atoi(colon + 1));
	SOCKET s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
	BOOL at_once = TRUE; /* a call goes in two or three small pieces */
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, (const char *)&at_once, sizeof at_once);
	if (s != INVALID_SOCKET && connect(s, (struct sockaddr *)&address, sizeof address) != 0) {
		closesocket(s);
		return INVALID_SOCKET;
	}
	return s;
}

/* Contexts. */

LONG WINAPI SCardEstablishContext(DWORD scope, LPCVOID reserved1, LPCVOID reserved2, LPSCARDCONTEXT context)
{
	char code[32];
	(void)reserved1, (void)reserved2;
	if (GetEnvironmentVariableA("LAB_PCSC_CODE", code, sizeof code) > 0)
		return (LONG)strtoul(code, NULL, 0);
	SOCKET s = dial();
	if (s == INVALID_SOCKET)
		return SCARD_E_NO_SERVICE;
	uint32_t body[3] = {scope, 0, 0};
	if (!ask(s, ESTABLISH, body, sizeof body) || !pull(s, body, sizeof body) || body[2] != 0) {
		closesocket(s);
		return body[2] != 0 ? (LONG)body[2] : SCARD_E_SERVICE_STOPPED;
	}
	LONG rc = SCARD_E_NO_MEMORY;
	EnterCriticalSection(&tables);
	for (int i = 0; i < TABLE && rc != SCARD_S_SUCCESS; i++)
		if (contexts[i].id == 0) {
			contexts[i].id = body[1], contexts[i].socket = s;
			*context = body[1];
			rc = SCARD_S_SUCCESS;
		}
	LeaveCriticalSection(&tables);
	if (rc != SCARD_S_SUCCESS)
		closesocket(s);
	return rc;
}

LONG WINAPI SCardReleaseContext(SCARDCONTEXT context)
{
	struct context *c = context_of((uint32_t)context);
	if (c == NULL)
		return SCARD_E_INVALID_HANDLE;
	uint32_t body[2] = {c->id, 0};
	LONG rc = call(c, RELEASE, body, sizeof body);
	EnterCriticalSection(&tables);
	for (int i = 0; i < TABLE; i++)
		if (cards[i].context == c)
			cards[i].id = 0, cards[i].context = NULL;
	closesocket(c->socket);
	c->id = 0;
	LeaveCriticalSection(&tables);
	return rc;
}

LONG WINAPI SCardIsValidContext(SCARDCONTEXT context)
{
	return context_of((uint32_t)context) != NULL ? SCARD_S_SUCCESS : SCARD_E_INVALID_HANDLE;
}

/* SCardCancel comes while another thread waits on the context's own connection. */
LONG WINAPI SCardCancel(SCARDCONTEXT context)
{
	uint32_t body[2] = {(uint32_t)context, (uint32_t)SCARD_E_SERVICE_STOPPED};
	if (context_of((uint32_t)context) == NULL)
		return SCARD_E_INVALID_HANDLE;
	SOCKET s = dial();
	if (s == INVALID_SOCKET)
		return SCARD_E_NO_SERVICE;
	if (ask(s, CANCEL, body, sizeof body))
		pull(s, body, sizeof body);
	closesocket(s);
	return (LONG)body[1];
}

/* Readers. */

/* watch reads the readers' states and has the service tell of the next change. */
static int watch(struct context *c, struct reader *readers)
{
	return ask(c->socket, WAIT_CHANGE, NULL, 0) && pull(c->socket, readers, READERS * sizeof *readers);
}

/* unwatch ends that, and returns what the service told meanwhile, in one message. */
static LONG unwatch(struct context *c)
{
	uint32_t event[2];
	if (!ask(c->socket, STOP_WAITING, NULL, 0) || !pull(c->socket, event, sizeof event))
		return SCARD_E_SERVICE_STOPPED;
	return (LONG)event[1];
}

static int wide(const char *text, WCHAR *into, int room) { return MultiByteToWideChar(CP_UTF8, 0, text, -1, into, room); }

static void narrow(const WCHAR *text, char *into)
{
	if (WideCharToMultiByte(CP_UTF8, 0, text, -1, into, NAME, NULL, NULL) == 0)
		into[0] = 0;
}

LONG WINAPI SCardListReadersW(SCARDCONTEXT context, LPCWSTR groups, LPWSTR names, LPDWORD length)
{
	struct context *c = context_of((uint32_t)context);
	struct reader readers[READERS];
	WCHAR all[READERS * NAME + 1];
	DWORD n = 0;
	(void)groups;
	if (c == NULL)
		return SCARD_E_INVALID_HANDLE;
	EnterCriticalSection(&c->busy);
	LONG rc = watch(c, readers) ? unwatch(c) : SCARD_E_SERVICE_STOPPED;
	LeaveCriticalSection(&c->busy);
	if (rc != SCARD_S_SUCCESS)
		return rc;
	for (int i = 0; i < READERS; i++)
		if (readers[i].name[0] != 0)
			n += wide(readers[i].name, all + n, NAME);
	if (n == 0)
		return SCARD_E_NO_READERS_AVAILABLE;
	all[n++] = 0;
	if (names != NULL && *length < n)
		rc = SCARD_E_INSUFFICIENT_BUFFER;
	else if (names != NULL)
		memcpy(names, all, n * sizeof *all);
	*length = n;
	return rc;
}

/* changed writes the state of a reader, and tells whether it is another than the one
 * that is known. */
static int changed(const struct reader *readers, const char *name, SCARD_READERSTATEW *known)
{
	const DWORD compared = SCARD_STATE_UNKNOWN | SCARD_STATE_EMPTY | SCARD_STATE_PRESENT | SCARD_STATE_EXCLUSIVE | SCARD_STATE_INUSE;
	DWORD was = known->dwCurrentState, now = SCARD_STATE_UNKNOWN;
	known->cbAtr = 0;
	for (int i = 0; i < READERS; i++)
		if (name[0] != 0 && strncmp(readers[i].name, name, NAME) == 0) {
			now = readers[i].state & 4 ? SCARD_STATE_PRESENT : SCARD_STATE_EMPTY;
			if (readers[i].sharing != 0)
				now |= SCARD_STATE_INUSE;
			if (readers[i].sharing < 0)
				now |= SCARD_STATE_EXCLUSIVE;
			now |= readers[i].events << 16;
			known->cbAtr = readers[i].atr_size <= ATR ? readers[i].atr_size : ATR;
			memcpy(known->rgbAtr, readers[i].atr, known->cbAtr);
		}
	int differs = was == SCARD_STATE_UNAWARE || ((was ^ now) & (compared | 0xFFFF0000)) != 0;
	known->dwEventState = differs ? now | SCARD_STATE_CHANGED : now;
	return differs;
}

LONG WINAPI SCardGetStatusChangeW(SCARDCONTEXT context, DWORD timeout, LPSCARD_READERSTATEW states, DWORD count)
{
	struct context *c = context_of((uint32_t)context);
	ULONGLONG until = GetTickCount64() + timeout;
	LONG rc = SCARD_E_SERVICE_STOPPED;
	if (c == NULL)
		return SCARD_E_INVALID_HANDLE;
	EnterCriticalSection(&c->busy);
	for (;;) {
		struct reader readers[READERS];
		char name[NAME];
		int differ = 0;
		if (!watch(c, readers))
			break;
		for (DWORD i = 0; i < count; i++) {
			narrow(states[i].szReader, name);
			differ += changed(readers, name, &states[i]);
		}
		ULONGLONG now = GetTickCount64();
		ULONGLONG left = now < until ? until - now : 0;
		fd_set set;
		struct timeval wait = {.tv_sec = (long)(left / 1000), .tv_usec = (long)(left % 1000 * 1000)};
		FD_ZERO(&set);
		FD_SET(c->socket, &set);
		if (differ || (timeout != INFINITE && left == 0) || select(0, &set, NULL, NULL, timeout == INFINITE ? NULL : &wait) == 0) {
			rc = unwatch(c);
			if (rc == SCARD_S_SUCCESS && !differ)
				rc = SCARD_E_TIMEOUT;
			break;
		}
		uint32_t event[2];
		if (!pull(c->socket, event, sizeof event))
			break;
		if ((rc = (LONG)event[1]) != SCARD_S_SUCCESS)
			break;
		rc = SCARD_E_SERVICE_STOPPED;
	}
	LeaveCriticalSection(&c->busy);
	return rc;
}

/* Cards. */

LONG WINAPI SCardConnectW(SCARDCONTEXT context, LPCWSTR name, DWORD share, DWORD protocols, LPSCARDHANDLE handle, LPDWORD active)
{
	struct context *c = context_of((uint32_t)context);
	struct {
		uint32_t context;
		char reader[NAME];
		uint32_t share, protocols, card, active, rc;
	} body = {(uint32_t)context, "", share, protocols, 0, 0, 0};
	if (c == NULL)
		return SCARD_E_INVALID_HANDLE;
	narrow(name, body.reader);
	LONG rc = call(c, CONNECT, &body, sizeof body);
	if (rc != SCARD_S_SUCCESS)
		return rc;
	rc = SCARD_E_NO_MEMORY;
	EnterCriticalSection(&tables);
	for (int i = 0; i < TABLE && rc != SCARD_S_SUCCESS; i++)
		if (cards[i].id == 0) {
			cards[i].id = body.card, cards[i].context = c, cards[i].protocol = body.active;
			memcpy(cards[i].reader, body.reader, NAME);
			rc = SCARD_S_SUCCESS;
		}
	LeaveCriticalSection(&tables);
	*handle = body.card;
	if (active != NULL)
		*active = body.active;
	return rc;
}

LONG WINAPI SCardReconnect(SCARDHANDLE handle, DWORD share, DWORD protocols, DWORD initialization, LPDWORD active)
{
	struct card *k = card_of((uint32_t)handle);
	if (k == NULL)
		return SCARD_E_INVALID_HANDLE;
	uint32_t body[6] = {k->id, share, protocols, initialization, 0, 0};
	LONG rc = call(k->context, RECONNECT, body, sizeof body);
	if (rc == SCARD_S_SUCCESS) {
		k->protocol = body[4];
		if (active != NULL)
			*active = body[4];
	}
	return rc;
}

LONG WINAPI SCardDisconnect(SCARDHANDLE handle, DWORD disposition)
{
	struct card *k = card_of((uint32_t)handle);
	if (k == NULL)
		return SCARD_E_INVALID_HANDLE;
	uint32_t body[3] = {k->id, disposition, 0};
	LONG rc = call(k->context, DISCONNECT, body, sizeof body);
	if (rc == SCARD_S_SUCCESS) {
		EnterCriticalSection(&tables);
		k->id = 0, k->context = NULL;
		LeaveCriticalSection(&tables);
	}
	return rc;
}

LONG WINAPI SCardBeginTransaction(SCARDHANDLE handle)
{
	struct card *k = card_of((uint32_t)handle);
	LONG rc = SCARD_E_INVALID_HANDLE;
	if (k == NULL)
		return rc;
	do { /* the service waits for a while and then has the caller ask again */
		uint32_t body[2] = {k->id, 0};
		rc = call(k->context, BEGIN, body, sizeof body);
	} while (rc == SCARD_E_SHARING_VIOLATION);
	return rc;
}

LONG WINAPI SCardEndTransaction(SCARDHANDLE handle, DWORD disposition)
{
	struct card *k = card_of((uint32_t)handle);
	if (k == NULL)
		return SCARD_E_INVALID_HANDLE;
	uint32_t body[3] = {k->id, disposition, 0};
	return call(k->context, END, body, sizeof body);
}

LONG WINAPI SCardTransmit(SCARDHANDLE handle, LPCSCARD_IO_REQUEST pci, LPCBYTE command, DWORD size,
                          LPSCARD_IO_REQUEST received, LPBYTE response, LPDWORD room)
{
	struct card *k = card_of((uint32_t)handle);
	(void)received;
	if (k == NULL)
		return SCARD_E_INVALID_HANDLE;
	uint32_t protocol = pci != NULL ? pci->dwProtocol : k->protocol;
	uint32_t body[8] = {k->id, protocol, 8, size, protocol, 8, *room, 0};
	LONG rc = SCARD_E_SERVICE_STOPPED;
	struct context *c = k->context;
	EnterCriticalSection(&c->busy);
	if (ask(c->socket, TRANSMIT, body, sizeof body) && push(c->socket, command, size) && pull(c->socket, body, sizeof body)) {
		rc = (LONG)body[7];
		if (rc == SCARD_S_SUCCESS && (body[6] > *room || !pull(c->socket, response, body[6])))
			rc = SCARD_E_SERVICE_STOPPED;
		*room = body[6];
	}
	LeaveCriticalSection(&c->busy);
	return rc;
}

LONG WINAPI SCardGetAttrib(SCARDHANDLE handle, DWORD id, LPBYTE value, LPDWORD length)
{
	struct card *k = card_of((uint32_t)handle);
	struct {
		uint32_t card, id;
		unsigned char value[ATTRIBUTE];
		uint32_t size, rc;
	} body = {(uint32_t)handle, id, {0}, ATTRIBUTE, 0};
	if (k == NULL)
		return SCARD_E_INVALID_HANDLE;
	LONG rc = call(k->context, GET_ATTRIB, &body, sizeof body);
	if (rc == SCARD_S_SUCCESS && value != NULL && *length < body.size)
		rc = SCARD_E_INSUFFICIENT_BUFFER;
	else if (rc == SCARD_S_SUCCESS && value != NULL)
		memcpy(value, body.value, body.size);
	*length = body.size;
	return rc;
}

LONG WINAPI SCardStatusW(SCARDHANDLE handle, LPWSTR name, LPDWORD length, LPDWORD state, LPDWORD protocol, LPBYTE atr, LPDWORD atr_length)
{
	struct card *k = card_of((uint32_t)handle);
	if (k == NULL)
		return SCARD_E_INVALID_HANDLE;
	uint32_t body[2] = {k->id, 0};
	LONG rc = call(k->context, STATUS, body, sizeof body);
	if (rc != SCARD_S_SUCCESS)
		return rc;
	if (length != NULL) {
		DWORD n = wide(k->reader, NULL, 0) + 1;
		if (name != NULL && *length < n)
			return SCARD_E_INSUFFICIENT_BUFFER;
		if (name != NULL) {
			wide(k->reader, name, n);
			name[n - 1] = 0;
		}
		*length = n;
	}
	if (state != NULL)
		*state = SCARD_SPECIFIC;
	if (protocol != NULL)
		*protocol = k->protocol;
	return atr_length != NULL ? SCardGetAttrib(handle, SCARD_ATTR_ATR_STRING, atr, atr_length) : SCARD_S_SUCCESS;
}
