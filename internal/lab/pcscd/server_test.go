package pcscd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMessageSizes(t *testing.T) {
	for want, body := range map[int]any{
		readerStateSize: readerState{},
		152:             connectBody{},
		24:              controlBody{},
		32:              transmitBody{},
		280:             attribBody{},
	} {
		if got := binary.Size(body); got != want {
			t.Errorf("%T: %d bytes, want %d", body, got, want)
		}
	}
}

func TestVersion(t *testing.T) {
	_, socket := start(t, 0)
	for _, c := range []struct {
		major, minor, wantMinor int32
		rv                      uint32
	}{
		{4, 4, 4, codeSuccess},
		{4, 5, 5, codeSuccess},
		{4, 6, 5, codeServiceStopped},
		{4, 3, 5, codeServiceStopped},
		{3, 5, 5, codeServiceStopped},
	} {
		p := dial(t, socket)
		body := versionBody{Major: c.major, Minor: c.minor}
		p.call(cmdVersion, &body)
		if body.Major != 4 || body.Minor != c.wantMinor || body.RV != c.rv {
			t.Errorf("version %d:%d answered %+v", c.major, c.minor, body)
		}
	}
}

func TestListenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Listen(filepath.Join(dir, strings.Repeat("x", 108)), 1); err == nil {
		t.Error("a path that no program can connect to was accepted")
	}
	if _, err := Listen(filepath.Join(dir, "a"), 17); err == nil {
		t.Error("17 readers were accepted")
	}
	if _, err := Listen(filepath.Join(dir, "b"), 1, ReaderNames(strings.Repeat("n", 128))); err == nil {
		t.Error("a name that does not fit was accepted")
	}
}

func TestSocketIsPrivateAndGoesAway(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	s, err := Listen(socket, 1)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode %v", info.Mode())
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket still there: %v", err)
	}
}

func TestSocketOfAnEarlierServer(t *testing.T) {
	_, socket := start(t, 1)
	if _, err := Listen(socket, 1); !errors.Is(err, ErrInUse) {
		t.Errorf("second server on a socket: %v", err)
	}
	dial(t, socket) // the first one still serves

	stale := filepath.Join(t.TempDir(), "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	listener.Close()
	s, err := Listen(stale, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dial(t, stale)
}

func TestReadersAndCards(t *testing.T) {
	s, socket := start(t, 2)
	p := dial(t, socket)
	names := s.Names()

	all := p.states(cmdGetReadersState)
	for i := range maxReaders {
		name := string(bytes.TrimRight(all[i].Name[:], "\x00"))
		switch {
		case i < 2 && (name != names[i] || all[i].State != stateAbsent):
			t.Errorf("reader %d: %q in state %#x", i, name, all[i].State)
		case i >= 2 && name != "":
			t.Errorf("there is a reader %d: %q", i, name)
		}
	}
	if _, rv := p.connect(names[1], shareShared); rv != codeNoSmartcard {
		t.Errorf("connect to an empty reader: %#x", rv)
	}
	if _, rv := p.connect("Another Reader 00 00", shareShared); rv != codeUnknownReader {
		t.Errorf("connect to no reader: %#x", rv)
	}

	card := &scripted{}
	insert(t, s, 1, card)
	if err := s.Insert(1, card); !errors.Is(err, ErrOccupied) {
		t.Errorf("two cards in one reader: %v", err)
	}
	if err := s.Insert(2, card); !errors.Is(err, ErrNoReader) {
		t.Errorf("a third of two readers: %v", err)
	}
	state := p.states(cmdGetReadersState)[1]
	if state.State != stateReady || state.ATRSize != uint32(len(testATR)) ||
		!bytes.HasPrefix(state.ATR[:], testATR) || state.Protocol != protoUndefined || state.Events != 1 {
		t.Errorf("state with a card: %+v", state)
	}

	h := p.mustConnect(names[1], shareShared)
	if state := p.states(cmdGetReadersState)[1]; state.Protocol != protoT1 {
		t.Errorf("protocol of a connection: %d", state.Protocol)
	}
	answer, rv := p.transmit(h, 0, 0xa4, 4, 0)
	if rv != codeSuccess || !bytes.Equal(answer, []byte{0, 0xa4, 4, 0, 0x90, 0}) {
		t.Errorf("transmit: %x %#x", answer, rv)
	}
	remove(t, s, 1)
	if _, err := s.Remove(1); !errors.Is(err, ErrEmpty) {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := s.Card(1); !errors.Is(err, ErrEmpty) {
		t.Errorf("card after removal: %v", err)
	}
}

func TestTokensComeAndGoWithTheirReader(t *testing.T) {
	s, socket := start(t, 1, Tokens())
	p := dial(t, socket)
	if all := p.states(cmdGetReadersState); all[0] != (readerState{}) {
		t.Errorf("reader without its token: %+v", all[0])
	}
	if _, rv := p.connect(s.Names()[0], shareDirect); rv != codeUnknownReader {
		t.Errorf("connect without token: %#x", rv)
	}
	insert(t, s, 0, &scripted{})
	h := p.mustConnect(s.Names()[0], shareShared)
	remove(t, s, 0)
	if _, rv := p.transmit(h, 0); rv != codeReaderUnavailable {
		t.Errorf("transmit after unplugging: %#x", rv)
	}
	if rv := p.reconnect(h, shareShared, leaveCard); rv != codeReaderUnavailable {
		t.Errorf("reconnect after unplugging: %#x", rv)
	}
	var count countBody
	p.send(cmdGetReaderEvents, nil, nil)
	p.receive(&count)
	if count.Events != 2 {
		t.Errorf("%d reader events, want 2", count.Events)
	}
}

func TestAttributes(t *testing.T) {
	s, socket := start(t, 1)
	insert(t, s, 0, &scripted{})
	p := dial(t, socket)
	h := p.mustConnect(s.Names()[0], shareShared)
	for id, want := range map[uint32][]byte{
		attrATR:           testATR,
		attrVendorName:    []byte("Yubico\x00"),
		attrPresence:      {2},
		attrInterface:     {1},
		attrFriendlyNameA: append([]byte(s.Names()[0]), 0),
	} {
		body := attribBody{Card: h, ID: id, Size: maxAttribute}
		p.call(cmdGetAttrib, &body)
		if body.RV != codeSuccess || !bytes.Equal(body.Value[:min(body.Size, maxAttribute)], want) {
			t.Errorf("attribute %#x: %q %#x", id, body.Value[:body.Size], body.RV)
		}
	}
	small := attribBody{Card: h, ID: attrATR, Size: 3}
	p.call(cmdGetAttrib, &small)
	if small.RV != codeInsufficientBuffer || small.Size != uint32(len(testATR)) {
		t.Errorf("attribute into a small buffer: %#x, %d bytes", small.RV, small.Size)
	}
	for _, command := range []uint32{cmdGetAttrib, cmdSetAttrib} {
		unknown := attribBody{Card: h, ID: 0x7A007, Size: maxAttribute}
		p.call(command, &unknown)
		if unknown.RV != codeUnsupportedFeature {
			t.Errorf("command %#x, unknown attribute: %#x", command, unknown.RV)
		}
	}
	control := controlBody{Card: h, Code: 0x42000D48, SendSize: 2, RecvSize: 100, Returned: 7}
	p.send(cmdControl, &control, []byte{1, 2})
	p.receive(&control)
	if control.RV != codeUnsupportedFeature || control.Returned != 0 {
		t.Errorf("control: %+v", control)
	}
}

func TestBadHandles(t *testing.T) {
	s, socket := start(t, 1)
	insert(t, s, 0, &scripted{})
	owner, other := dial(t, socket), dial(t, socket)
	h := owner.mustConnect(s.Names()[0], shareShared)
	for _, handle := range []uint32{0, h, ^h} {
		if rv := other.begin(handle); rv != codeInvalidHandle {
			t.Errorf("begin on a handle of somebody else: %#x", rv)
		}
		if _, rv := other.transmit(handle, 0); rv != codeInvalidHandle {
			t.Errorf("transmit on a handle of somebody else: %#x", rv)
		}
		if rv := other.disconnect(handle, leaveCard); rv != codeInvalidHandle {
			t.Errorf("disconnect of somebody else: %#x", rv)
		}
	}
	release := releaseBody{Context: owner.context}
	other.call(cmdReleaseContext, &release)
	if release.RV != codeInvalidHandle {
		t.Errorf("release of somebody else's context: %#x", release.RV)
	}
	if rv := owner.status(h); rv != codeSuccess {
		t.Errorf("the owner's handle suffered: %#x", rv)
	}
}

func TestBrokenProtocolEndsTheConnection(t *testing.T) {
	_, socket := start(t, 1)
	for name, message := range map[string][]byte{
		"unknown command":    encode(&header{0, 0x99}),
		"wrong size":         encode(&header{7, cmdConnect}),
		"huge":               encode(&header{1 << 30, cmdConnect}),
		"states with a body": encode(&header{4, cmdGetReadersState}),
		"too much data":      append(encode(&header{32, cmdTransmit}), encode(&transmitBody{SendSize: maxExtended + 1})...),
	} {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(message); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(conn); len(rest) != 0 && err == nil {
			t.Errorf("%s: answered %x", name, rest)
		}
		conn.Close()
	}
}

func FuzzRequests(f *testing.F) {
	f.Add(append(encode(&header{12, cmdEstablishContext}), encode(&establishBody{})...))
	f.Add(append(encode(&header{12, cmdVersion}), encode(&versionBody{Major: 4, Minor: 4})...))
	f.Add(append(encode(&header{32, cmdTransmit}), encode(&transmitBody{SendSize: 4})...))
	f.Add(encode(&header{0, cmdWaitStateChange}))
	f.Fuzz(func(t *testing.T, requests []byte) {
		s, socket := start(t, 1)
		insert(t, s, 0, &scripted{})
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		// The server may hang up in the middle of nonsense.
		if _, err := conn.Write(requests); err == nil {
			_ = conn.(*net.UnixConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
		}
		// Whatever came, the next program is served.
		p := dial(t, socket)
		h := p.mustConnect(s.Names()[0], shareShared)
		if _, rv := p.transmit(h, 0, 0, 0, 0); rv != codeSuccess {
			t.Fatalf("transmit after nonsense: %#x", rv)
		}
	})
}
