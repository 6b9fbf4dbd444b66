package repository

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/durable"
)

// maxList bounds a revocation list, in octets; read, its entries take ten times as much.
// Whoever has a larger one answers by OCSP.
const maxList = 8 << 20

// list is the revocation list of one address, fetched once by whoever needs it first.
type list struct {
	mutex   sync.Mutex
	asked   bool
	err     error
	until   time.Time // nextUpdate
	scope   distributionPoint
	revoked map[string]certificate.Revocation
}

// statusInList looks a certificate up in its issuer's revocation list.
func (c *Client) statusInList(ctx context.Context, address string, cert, issuer *x509.Certificate) (certificate.Revocation, error) {
	l := c.listAt(address, issuer)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if !l.asked || l.err == nil && c.options.Now().After(l.until) {
		err := c.fill(ctx, l, address, issuer)
		if ctx.Err() != nil {
			return certificate.Revocation{}, ctx.Err() // the next one may try
		}
		l.asked, l.err = true, err
	}
	if l.err != nil {
		return certificate.Revocation{}, l.err
	}
	if err := l.scope.covers(cert, address); err != nil {
		return certificate.Revocation{}, err
	}
	if status, ok := l.revoked[cert.SerialNumber.String()]; ok {
		return status, nil
	}
	return certificate.Revocation{State: certificate.RevocationGood}, nil
}

func (c *Client) listAt(address string, issuer *x509.Certificate) *list {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	key := listName(address, issuer)
	if c.lists[key] == nil {
		c.lists[key] = &list{}
	}
	return c.lists[key]
}

// listName names a list of an address and an issuer in memory and in the cache.
func listName(address string, issuer *x509.Certificate) string {
	sum := sha256.New()
	sum.Write([]byte(address))
	sum.Write([]byte{0})
	sum.Write(issuer.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum.Sum(nil)) + ".crl"
}

// fill reads a list from the cache, or else from its address.
func (c *Client) fill(ctx context.Context, l *list, address string, issuer *x509.Certificate) error {
	name := listName(address, issuer)
	if c.options.Cache != "" {
		if der, err := c.options.Cache.ReadFile(name, maxList); err == nil && c.read(l, der, issuer) == nil {
			return nil
		}
	}
	der, err := c.exchange(ctx, address, nil, "", maxList)
	if err != nil {
		return err
	}
	if err := c.read(l, der, issuer); err != nil {
		return err
	}
	if c.options.Cache != "" {
		// What cannot be kept is fetched again the next time.
		if durable.MakeFolder(string(c.options.Cache), 0o700) == nil {
			_ = c.options.Cache.WriteFile(name, der, 0o600)
		}
	}
	return nil
}

// read verifies a list that issuer signed and that is in force, and takes its entries.
func (c *Client) read(l *list, der []byte, issuer *x509.Certificate) error {
	if block, _ := pem.Decode(der); block != nil && block.Type == "X509 CRL" {
		der = block.Bytes
	}
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return errors.New("it is not a revocation list")
	}
	if !bytes.Equal(parsed.RawIssuer, issuer.RawSubject) {
		return errors.New("it is the list of another issuer")
	}
	if err := parsed.CheckSignatureFrom(issuer); err != nil {
		return errors.New("the issuer did not sign it")
	}
	if err := inForce(parsed.ThisUpdate, parsed.NextUpdate, c.options.Now()); err != nil {
		return err
	}
	point, err := scopeOf(parsed)
	if err != nil {
		return err
	}
	revoked := make(map[string]certificate.Revocation, len(parsed.RevokedCertificateEntries))
	for _, entry := range parsed.RevokedCertificateEntries {
		revoked[entry.SerialNumber.String()] = certificate.Revocation{
			State: certificate.RevocationRevoked, At: entry.RevocationTime, Reason: certificate.RevocationReason(entry.ReasonCode),
		}
	}
	l.revoked, l.until, l.scope = revoked, parsed.NextUpdate, point
	return nil
}

// distributionPoint is the extension issuingDistributionPoint (RFC 5280 section 5.2.5).
type distributionPoint struct {
	Name struct {
		Full     []asn1.RawValue  `asn1:"optional,tag:0"`
		Relative pkix.RDNSequence `asn1:"optional,tag:1"`
	} `asn1:"optional,tag:0"`
	OnlyUsers          bool           `asn1:"optional,tag:1"`
	OnlyAuthorities    bool           `asn1:"optional,tag:2"`
	OnlySomeReasons    asn1.BitString `asn1:"optional,tag:3"`
	Indirect           bool           `asn1:"optional,tag:4"`
	OnlyAttributeCerts bool           `asn1:"optional,tag:5"`
}

// scopeOf returns what a list speaks of. One with another critical extension (section
// 5.2) is not understood.
func scopeOf(parsed *x509.RevocationList) (point distributionPoint, err error) {
	for _, extension := range parsed.Extensions {
		switch {
		case extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 28}):
			if rest, err := asn1.Unmarshal(extension.Value, &point); err != nil || len(rest) > 0 {
				return point, errors.New("its distribution point is malformed")
			}
		case !extension.Critical:
		case extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 27}):
			return point, errors.New("it only has what changed since another list")
		default:
			return point, fmt.Errorf("it has a critical extension %v that is not known", extension.Id)
		}
	}
	return point, nil
}

// covers returns an error where a list with that distribution point, found at address,
// does not speak of cert. An authority may part its list, so that one that names
// another address is another part.
func (d *distributionPoint) covers(cert *x509.Certificate, address string) error {
	const uri = 6 // GeneralName's uniformResourceIdentifier
	named := len(d.Name.Full) > 0
	here := slices.ContainsFunc(d.Name.Full, func(name asn1.RawValue) bool { return name.Tag == uri && string(name.Bytes) == address })
	switch {
	case d.Indirect || d.OnlyAttributeCerts || d.OnlySomeReasons.BitLength > 0:
		return errors.New("it is a list of some certificates or reasons only")
	case d.OnlyUsers && cert.IsCA:
		return errors.New("it is a list of users' certificates only")
	case d.OnlyAuthorities && !cert.IsCA:
		return errors.New("it is a list of authorities' certificates only")
	case named && !here:
		return errors.New("it is the list of another address")
	}
	return nil
}
