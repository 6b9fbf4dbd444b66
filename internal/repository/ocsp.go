package repository

import (
	"context"
	"crypto"
	_ "crypto/sha1" // the hash by which OCSP requests name an issuer
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// maxOCSP bounds an answer, in octets, and with it the size of a key in it, which is
// worked with before it is known whose it is.
const maxOCSP = 8 << 10

// statusByOCSP asks a responder by POST (RFC 6960 appendix A.1). The issuer is named by
// SHA-1, which all responders know (RFC 5019 section 2.1.1); nothing depends on its
// strength.
func (c *Client) statusByOCSP(ctx context.Context, address string, cert, issuer *x509.Certificate) (certificate.Revocation, error) {
	var none certificate.Revocation
	request, err := ocsp.CreateRequest(cert, issuer, &ocsp.RequestOptions{Hash: crypto.SHA1})
	if err != nil {
		return none, err
	}
	der, err := c.exchange(ctx, address, request, "application/ocsp-request", maxOCSP)
	if err != nil {
		return none, err
	}
	answer, err := ocsp.ParseResponseForCert(der, cert, nil)
	if err != nil {
		return none, ocspError(err)
	}
	now := c.options.Now()
	if err := checkResponder(answer, issuer, now); err != nil {
		return none, err
	}
	if err := inForce(answer.ThisUpdate, nextUpdate(answer), now); err != nil {
		return none, err
	}
	switch answer.Status {
	case ocsp.Good:
		return certificate.Revocation{State: certificate.RevocationGood}, nil
	case ocsp.Revoked:
		return certificate.Revocation{
			State: certificate.RevocationRevoked, At: answer.RevokedAt, Reason: certificate.RevocationReason(answer.RevocationReason),
		}, nil
	}
	return none, errors.New("the responder does not know the certificate")
}

// nextUpdate returns until when an answer is good. One without says that newer ones are
// always to be had (RFC 6960 section 4.2.2.1): it is good when it is fresh.
func nextUpdate(answer *ocsp.Response) time.Time {
	const fresh = 24 * time.Hour
	if answer.NextUpdate.IsZero() {
		return answer.ThisUpdate.Add(fresh)
	}
	return answer.NextUpdate
}

// checkResponder checks who signed an answer: the issuer, or somebody to whom the
// issuer gave a certificate for this (RFC 6960 section 4.2.2.2).
func checkResponder(answer *ocsp.Response, issuer *x509.Certificate, now time.Time) error {
	responder := answer.Certificate // which the answer's signature was verified with
	switch {
	case responder == nil:
		if err := answer.CheckSignatureFrom(issuer); err != nil {
			return errors.New("the issuer did not sign it")
		}
		return nil
	case responder.Equal(issuer):
		return nil
	}
	if err := issuer.CheckSignature(responder.SignatureAlgorithm, responder.RawTBSCertificate, responder.Signature); err != nil {
		return errors.New("neither the issuer signed it nor somebody with a certificate of the issuer")
	}
	if !slices.Contains(responder.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return errors.New("it is signed with a certificate that is not for OCSP")
	}
	if now.Before(responder.NotBefore) || now.After(responder.NotAfter) {
		return errors.New("it is signed with a certificate that is not valid now")
	}
	return nil
}

// ocspError words what a responder refused.
func ocspError(err error) error {
	var refused ocsp.ResponseError
	if errors.As(err, &refused) {
		return fmt.Errorf("the responder refused: %v", refused.Status)
	}
	return errors.New("it is not an OCSP answer")
}
