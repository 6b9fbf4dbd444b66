package cacmd

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/format"
	"github.com/cse-piv/cse-piv/internal/issuer/ca"
)

// IssuedJSON is the output of ca list; the names are a contract.
type IssuedJSON struct {
	Certificates []issuedCertificate `json:"certificates"`
}

// issuedCertificate is one certificate that the CA issued.
type issuedCertificate struct {
	Serial    string         `json:"serial"` // in hexadecimal
	Addresses []string       `json:"addresses"`
	SHA256    string         `json:"sha256"`
	NotAfter  time.Time      `json:"not_after"`
	Revoked   *ca.Revocation `json:"revoked,omitempty"`
}

func newCAList(streams *stdio.Streams) *cobra.Command {
	var options caFlags
	command := &cobra.Command{
		Use: "list", Short: "List what the CA issued", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			record, err := options.record()
			if err != nil {
				return err
			}
			all, err := record.List()
			if err != nil {
				return err
			}
			listed := IssuedJSON{[]issuedCertificate{}}
			rows := stdio.NewTable(streams.Out, "SERIAL", "ADDRESS", "UNTIL", "REVOKED")
			for _, issued := range all {
				cert := issued.Certificate
				one := issuedCertificate{cert.SerialNumber.Text(16), append([]string{}, cert.EmailAddresses...), certificate.Fingerprint(cert), cert.NotAfter.UTC(), issued.Revocation}
				listed.Certificates = append(listed.Certificates, one)
				revoked := ""
				if issued.Revocation != nil {
					revoked = strings.TrimSpace(format.Day(issued.Revocation.At) + " " + certificate.RevocationReason(issued.Revocation.Reason))
				}
				if !options.json {
					rows.Row(one.Serial, strings.Join(one.Addresses, " "), format.Day(cert.NotAfter), revoked)
				}
			}
			if options.json {
				return stdio.JSON(streams.Out, listed)
			}
			return rows.Flush()
		},
	}
	options.add(command)
	return command
}
