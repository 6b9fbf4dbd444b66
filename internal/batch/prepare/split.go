package prepare

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// splitPair finds the two certificates of a card that has one key for signing and one
// for encryption, among those of a file that is given for both uses: those for the
// address that are valid now, one that only signs and one that only encrypts. There is
// no such pair where one of them serves both uses, or where there are several for one.
func splitPair(certs []*x509.Certificate, email string, wanted source.Choice, now time.Time) (sign, encrypt *x509.Certificate) {
	users := 0
	for _, cert := range certs {
		if !cert.IsCA {
			users++
		}
	}
	if users < 2 {
		return nil, nil
	}
	for _, cert := range certs {
		if cert.IsCA || !wanted.Admits(cert) || !smime.HasAddress(cert, email) || now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			continue
		}
		switch signs, encrypts := smime.Allows(cert); {
		case signs && encrypts, signs && sign != nil && !sign.Equal(cert), encrypts && encrypt != nil && !encrypt.Equal(cert):
			return nil, nil
		case signs:
			sign = cert
		case encrypts:
			encrypt = cert
		}
	}
	if sign == nil || encrypt == nil {
		return nil, nil
	}
	return sign, encrypt
}

// splitRow makes of a row whose only certificate in use is a file for both uses one for
// each of them, where the file holds such a pair and that is asked for. Where it is not
// asked for, it is a [*Fault].
func (p *Preparer) splitRow(certs []*x509.Certificate, email string, c source.Certificate) ([]leaf, error) {
	if c.Use != certificate.UseBoth {
		return nil, nil
	}
	sign, encrypt := splitPair(certs, email, p.choose, p.now())
	if sign == nil {
		return nil, nil
	}
	if !p.split {
		return nil, &Fault{"limited-use", fmt.Sprintf("%s holds a certificate for signing and one for encryption, and none for both", c.Origin)}
	}
	return []leaf{
		{use: certificate.UseSign, origin: c.Origin, cert: sign, parts: certs},
		{use: certificate.UseEncrypt, origin: c.Origin, cert: encrypt, parts: certs},
	}, nil
}

// checkUse refuses a key pair that cannot be used for what it is registered for: a key
// whose certificate does not let it sign, or does not let anybody encrypt to it.
func (p *Preparer) checkUse(l leaf) error {
	sign, encrypt := smime.Allows(l.cert)
	wantSign := slices.Contains([]certificate.Use{certificate.UseBoth, certificate.UseSign}, l.use)
	wantEncrypt := slices.Contains([]certificate.Use{certificate.UseBoth, certificate.UseEncrypt}, l.use)
	switch {
	case p.allowLimitedUse:
	case wantSign && !sign && wantEncrypt && !encrypt:
		return &Fault{"limited-use", fmt.Sprintf("%s: the certificate is for neither signing nor encryption", l.origin)}
	case wantSign && !sign:
		return &Fault{"limited-use", fmt.Sprintf("%s: the certificate is for encryption only: the user could not sign with it", l.origin)}
	case wantEncrypt && !encrypt:
		return &Fault{"limited-use", fmt.Sprintf("%s: the certificate is for signing only: nobody could encrypt to the user with it", l.origin)}
	}
	return nil
}
