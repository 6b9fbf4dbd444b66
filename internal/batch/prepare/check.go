package prepare

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
)

const maxDescription = 1000 // characters; what Gmail keeps is not documented

// checkRow looks at what needs no parsing: address, description, and whether the
// certificates are one for both uses or one for each.
func checkRow(row source.Row, isAddress bool) error {
	switch {
	case row.Email == "":
		return &Fault{source.ReasonAddress, "the row has no address"}
	case !isAddress:
		return &Fault{"address", noAddress(row.Email)}
	case utf8.RuneCountInString(row.Description) > maxDescription:
		return &Fault{"description-too-long", "the description is too long"}
	}
	var both, sign, encrypt int
	for _, c := range row.Certificates {
		switch c.Use {
		case certificate.UseBoth:
			both++
		case certificate.UseSign:
			sign++
		case certificate.UseEncrypt:
			encrypt++
		case certificate.UseHistory:
		default:
			return &Fault{"use", fmt.Sprintf("unknown use: %.80s", c.Use)}
		}
	}
	switch {
	case both == 1 && sign == 0 && encrypt == 0, both == 0 && sign == 1 && encrypt == 1:
		return nil
	case both > 1 || sign > 1 || encrypt > 1 || both == 1:
		return &Fault{source.ReasonTwice, "there are several certificates for one use"}
	case sign == 1:
		return &Fault{"pair-incomplete", "there is a certificate for signing, but none for encryption"}
	case encrypt == 1:
		return &Fault{"pair-incomplete", "there is a certificate for encryption, but none for signing"}
	}
	return &Fault{source.ReasonCertificate, "there is no certificate"}
}

// noAddress says what stands in an address's place; of what is far too long not
// even the beginning, which may be that of a key.
func noAddress(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("this is no mail address: a text of %d octets", len(s))
	}
	return "this is no mail address: " + strings.ToValidUTF8(s, "?")
}
