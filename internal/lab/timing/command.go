package timing

// anyCommand is the entry for commands that have none of their own.
const anyCommand = "command"

// instructions are the names of instruction bytes (SP 800-73-4 Part 2, section
// 3; Yubico's PIV extensions; 1D is the management applet's).
var instructions = map[byte]string{
	0x1d: "read-config",
	0x20: "verify",
	0x24: "change-reference-data",
	0x2c: "reset-retry-counter",
	0x47: "generate",
	0x87: "general-authenticate",
	0xa4: "select",
	0xc0: "get-response",
	0xcb: "get-data",
	0xdb: "put-data",
	0xf6: "move-key",
	0xf7: "get-metadata",
	0xf8: "get-serial",
	0xf9: "attest",
	0xfa: "set-pin-retries",
	0xfb: "reset",
	0xfd: "get-version",
	0xfe: "import-key",
	0xff: "set-management-key",
}

// algorithms are the names of algorithm identifiers (SP 800-78-4, table 6-2, and
// Yubico's additions), of key pairs and of management keys.
var algorithms = map[byte]string{
	0x03: "3des", 0x08: "aes128", 0x0a: "aes192", 0x0c: "aes256",
	0x06: "rsa1024", 0x07: "rsa2048", 0x05: "rsa3072", 0x16: "rsa4096",
	0x11: "eccp256", 0x14: "eccp384", 0xe0: "ed25519", 0xe1: "x25519",
}

// parse tells what a command APDU is for. All parts of a chain but the last are
// any command.
func parse(command []byte) key {
	const chaining = 0x10
	if len(command) < 4 || command[0]&chaining != 0 {
		return key{instruction: anyCommand}
	}
	instruction, ok := instructions[command[1]]
	if !ok {
		return key{instruction: anyCommand}
	}
	switch instruction {
	case "general-authenticate", "import-key":
		return key{instruction, algorithms[command[2]]}
	case "generate":
		return key{instruction, algorithms[generated(command[4:])]}
	}
	return key{instruction: instruction}
}

// generated finds the algorithm in the body of a GENERATE: AC len 80 01 algorithm
// after the length, short or extended.
func generated(body []byte) byte {
	data := 1
	if len(body) > 0 && body[0] == 0 {
		data = 3
	}
	if len(body) < data+5 {
		return 0
	}
	template := body[data:]
	if template[0] != 0xac || template[2] != 0x80 || template[3] != 1 {
		return 0
	}
	return template[4]
}
