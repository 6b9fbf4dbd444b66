package issuer

import (
	"bytes"
	"encoding/pem"
)

func encodePEM(label string, ders ...[]byte) []byte {
	var out bytes.Buffer
	for _, der := range ders {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	return out.Bytes()
}
