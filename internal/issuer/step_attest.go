package issuer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/acme"
)

// orderTimeout bounds a whole order, with the time a person takes for PIN and touch.
const orderTimeout = 2 * time.Minute

const (
	deviceAttest        = "device-attest-01" // draft-acme-device-attest §5
	permanentIdentifier = "permanent-identifier"
)

// oidYubicoSerial is the extension with the card's serial number (Yubico, "PIV
// attestation").
var oidYubicoSerial = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 41482, 3, 7}

// ErrNoKey is returned where an issuer needs the key itself, and the card is not there.
var ErrNoKey = errors.New("the issuer wants the card to sign")

// NotAttestedError is returned for a key whose attestation cannot answer an issuer.
type NotAttestedError struct{ Reason string }

// Error says why.
func (e *NotAttestedError) Error() string {
	return "the attestation cannot answer the issuer: " + e.Reason
}

type attestIssuer struct{ *step }

// NewStepAttest asks a step-ca by an ACME provisioner (RFC 8555) that takes the card's
// attestation as answer to a device-attest-01 challenge. The order is for the card's serial
// number; that the address in the request is the user's is for the CA to decide. base is
// the CA's URL.
func NewStepAttest(base string, options StepOptions) (Issuer, error) {
	s, err := newStep("step-ca-acme", base, options)
	if err != nil {
		return nil, err
	}
	return attestIssuer{s}, nil
}

// Issue has the card sign twice: the challenge, and a request without a subject, which an
// order for a serial number has to have.
func (a attestIssuer) Issue(ctx context.Context, request Request) ([]*x509.Certificate, error) {
	csr, err := request.check()
	if err != nil {
		return nil, err
	}
	if request.Key == nil {
		return nil, ErrNoKey
	}
	serial, err := attestedSerial(request.Attestation)
	if err != nil {
		return nil, err
	}
	web, err := a.connection(ctx, request.Notice)
	if err != nil {
		return nil, err
	}
	account, err := a.account()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.protocol, err)
	}
	counted := &countedACME{base: web.client.Transport}
	exchanges := *web.client
	exchanges.Transport = counted
	client := &acme.Client{Key: account, HTTPClient: &exchanges, DirectoryURL: a.base + "/acme/" + url.PathEscape(a.options.Provisioner) + "/directory", RetryBackoff: counted.retry}
	bounded, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	issued, err := a.order(bounded, client, request, csr, serial)
	if err != nil {
		return nil, a.explain(ctx, err)
	}
	return a.complete(ctx, request, csr, issued)
}

// order goes through an order for the card's serial number.
func (a attestIssuer) order(ctx context.Context, client *acme.Client, request Request, csr *x509.CertificateRequest, serial string) ([]*x509.Certificate, error) {
	if _, err := client.Register(ctx, &acme.Account{}, acme.AcceptTOS); err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return nil, err
	}
	order, err := client.AuthorizeOrder(ctx, []acme.AuthzID{{Type: permanentIdentifier, Value: serial}})
	if err != nil {
		return nil, err
	}
	for _, target := range order.AuthzURLs {
		authorization, err := client.GetAuthorization(ctx, target)
		if err != nil {
			return nil, err
		}
		if authorization.Status == acme.StatusValid {
			continue
		}
		n := slices.IndexFunc(authorization.Challenges, func(c *acme.Challenge) bool { return c.Type == deviceAttest })
		if n < 0 {
			return nil, &ProvisionerError{Name: a.options.Provisioner, Type: "ACME", Err: errors.New("it offers no " + deviceAttest)}
		}
		challenge := authorization.Challenges[n]
		if challenge.Payload, err = answerChallenge(client.Key, challenge.Token, request); err != nil {
			return nil, err
		}
		answered, err := client.Accept(ctx, challenge)
		if err != nil {
			return nil, err
		}
		// step-ca leaves the authorization pending where it refuses the answer.
		if answered.Status == acme.StatusInvalid {
			return nil, &acme.AuthorizationError{URI: authorization.URI, Errors: []error{answered.Error}}
		}
		if _, err := client.WaitAuthorization(ctx, authorization.URI); err != nil {
			return nil, err
		}
	}
	if order, err = client.WaitOrder(ctx, order.URI); err != nil {
		return nil, err
	}
	der, err := withoutSubject(csr, request.Key)
	if err != nil {
		return nil, err
	}
	chain, _, err := client.CreateCertFromOrder(ctx, order, der, true)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, raw := range chain {
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			return nil, &AnswerError{Protocol: a.protocol, URL: a.base, Status: http.StatusOK, Err: err}
		}
		certs = append(certs, c)
	}
	return certs, nil
}

// explain turns the errors of ACME and of the connection into this package's.
func (a attestIssuer) explain(ctx context.Context, err error) error {
	var refused *acme.Error
	var invalid *acme.AuthorizationError
	var network *url.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &invalid):
		text := "the attestation was refused"
		if why := errors.Join(invalid.Errors...); why != nil {
			text = why.Error()
		}
		return &AnswerError{Protocol: a.protocol, URL: a.base, Status: http.StatusForbidden, Text: text}
	case errors.As(err, &refused):
		return &AnswerError{Protocol: a.protocol, URL: a.base, Status: refused.StatusCode, Text: refused.Detail}
	case isTLS(err):
		return &TLSError{Protocol: a.protocol, Err: err}
	case errors.As(err, &network):
		return &UnreachableError{Protocol: a.protocol, Address: a.base, Err: err}
	}
	return fmt.Errorf("%s: %w", a.protocol, err)
}

// attestedSerial returns the serial number that the attestation names.
func attestedSerial(attestation []*x509.Certificate) (string, error) {
	if len(attestation) == 0 {
		return "", &NotAttestedError{Reason: "the key has none"}
	}
	for _, extension := range attestation[0].Extensions {
		var serial int
		if !extension.Id.Equal(oidYubicoSerial) {
			continue
		}
		if rest, err := asn1.Unmarshal(extension.Value, &serial); err != nil || len(rest) > 0 {
			return "", &NotAttestedError{Reason: "its serial number cannot be read"}
		}
		return strconv.Itoa(serial), nil
	}
	return "", &NotAttestedError{Reason: "it names no serial number (firmware before 5)"}
}

// answerChallenge returns the payload of the challenge's answer: an attestation object of
// the format "step", whose signature over the key authorization (RFC 8555 §8.1) is CBOR
// once more, as step-ca reads it.
func answerChallenge(account crypto.Signer, token string, request Request) (json.RawMessage, error) {
	thumbprint, err := acme.JWKThumbprint(account.Public())
	if err != nil {
		return nil, err
	}
	message := []byte(token + "." + thumbprint)
	sum := sha256.Sum256(message)
	digest, hash, algorithm := sum[:], crypto.SHA256, 0
	// The algorithms of COSE (RFC 9053 §2, RFC 8812 §2).
	switch key := request.Key.Public().(type) {
	case *rsa.PublicKey:
		algorithm = -257
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return nil, &NotAttestedError{Reason: "step-ca takes P-256 and RSA keys only"}
		}
		algorithm = -7
	case ed25519.PublicKey:
		digest, hash, algorithm = message, 0, -8
	default:
		return nil, &NotAttestedError{Reason: "step-ca takes P-256 and RSA keys only"}
	}
	signature, err := request.Key.Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, fmt.Errorf("sign the challenge: %w", err)
	}
	object := cborHead(nil, cborMap, 2)
	object = cborText(object, "fmt")
	object = cborText(object, "step")
	object = cborText(object, "attStmt")
	object = cborHead(object, cborMap, 3)
	object = cborText(object, "alg")
	object = cborHead(object, cborNegative, -1-algorithm)
	object = cborText(object, "sig")
	object = cborBytes(object, cborBytes(nil, signature))
	object = cborText(object, "x5c")
	object = cborHead(object, cborArray, len(request.Attestation))
	for _, c := range request.Attestation {
		object = cborBytes(object, c.Raw)
	}
	return json.Marshal(map[string]string{"attObj": base64.RawURLEncoding.EncodeToString(object)})
}

// The major types of CBOR that are written (RFC 8949 §3.1).
const (
	cborNegative = 1
	cborString   = 2
	cborUTF8     = 3
	cborArray    = 4
	cborMap      = 5
)

func cborHead(b []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n < 1<<8:
		return append(b, major<<5|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(n))
}

func cborText(b []byte, text string) []byte {
	return append(cborHead(b, cborUTF8, len(text)), text...)
}

func cborBytes(b, value []byte) []byte {
	return append(cborHead(b, cborString, len(value)), value...)
}

// withoutSubject makes the request once more, with an empty subject.
func withoutSubject(csr *x509.CertificateRequest, key crypto.Signer) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{SignatureAlgorithm: csr.SignatureAlgorithm, ExtraExtensions: csr.Extensions}, key)
	if err != nil {
		return nil, fmt.Errorf("sign the request without a subject: %w", err)
	}
	return der, nil
}
