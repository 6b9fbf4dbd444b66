package certcmd

import (
	"crypto/x509"
	"strings"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// rowsOf makes a row for each user whose certificate is in the files, as if they were a
// source; one certificate for signing and one for encryption are one user's. Files
// without a user's certificate are parts of the others' chains.
func rowsOf(files []option.CertificateFile, email string) (rows []source.Row, parts []*x509.Certificate) {
	byUser := map[string][]int{} // rows
	for i, leaves := range findLeaves(files) {
		file := files[i]
		if file.Err != nil {
			rows = append(rows, source.Row{Where: file.Path, Err: file.Err})
			continue
		}
		if len(leaves) == 0 {
			parts = append(parts, file.Certificates...)
		}
		for _, leaf := range leaves {
			row := source.Row{Where: file.Path, Email: email}
			if addresses := smime.EmailAddresses(leaf); email == "" && len(addresses) == 1 {
				row.Email = addresses[0]
			} else if email == "" {
				row.Err = &failure.ManyAddressesError{File: file.Path, Addresses: addresses}
			}
			row.Certificates = []source.Certificate{{Use: certificate.UseBoth, Origin: file.Path, Data: chainFile(leaf, file.Certificates)}}
			user := strings.ToLower(row.Email)
			if mates := byUser[user]; len(mates) == 1 && row.Err == nil && pairUp(&rows[mates[0]], row, leaf) {
				continue
			}
			byUser[user] = append(byUser[user], len(rows))
			rows = append(rows, row)
		}
	}
	return rows, parts
}

// chainFile is a leaf with the authorities of its file.
func chainFile(leaf *x509.Certificate, others []*x509.Certificate) []byte {
	list := []*x509.Certificate{leaf}
	for _, cert := range others {
		if cert.IsCA {
			list = append(list, cert)
		}
	}
	return certificate.EncodePEM(list...)
}

// pairUp adds another certificate of the same user to a row with one, where one of them
// signs and the other one encrypts.
func pairUp(row *source.Row, other source.Row, leaf *x509.Certificate) bool {
	if len(row.Certificates) != 1 || row.Err != nil {
		return false
	}
	first, err := certificate.Parse(row.Certificates[0].Data)
	if err != nil {
		return false
	}
	uses := [2]certificate.Use{smime.UseOf(first[0]), smime.UseOf(leaf)}
	if uses != [2]certificate.Use{certificate.UseSign, certificate.UseEncrypt} && uses != [2]certificate.Use{certificate.UseEncrypt, certificate.UseSign} {
		return false
	}
	row.Certificates[0].Use, other.Certificates[0].Use = uses[0], uses[1]
	row.Certificates = append(row.Certificates, other.Certificates[0])
	return true
}
