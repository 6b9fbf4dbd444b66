package hint

import (
	"errors"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/cli/failure"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// ofCertificates is about files of certificates and the chains made of them.
func (h hints) ofCertificates(err error) string {
	hint := hintOf(err, []sentinel{
		{certificate.ErrPassword, "give its password with --password-file FILE; or its certificates in a file of their own: openssl pkcs12 -in FILE -nokeys -out certificates.pem"},
		{smime.ErrNoRoot, "ask the CA for its root certificate, which is signed by itself, and give it, too"},
		{smime.ErrSeveralRoots, "leave out all but one: each root goes into a file of its own, and is added by itself"},
		{smime.ErrNoIntermediate, "give the intermediate that issues users' certificates, too; a root that issues them itself cannot be used at Gmail"},
		{smime.ErrForeignPart, "leave out what belongs to another root, or give what is missing between it and this one"},
		{smime.ErrAuthorityKey, "ask the CA for a chain with RSA 2048, 3072 or 4096, P-256 or P-384"},
		{smime.ErrNoSample, "look what is wrong with it: cse-piv cert check FILE... ; or leave it out and give another user's certificate"},
	})
	if hint != "" {
		return hint
	}
	if errors.Is(err, attestation.ErrUntrustedRoot) {
		return "newer intermediates of Yubico's: cse-piv attestation update " + YubicoPublication + h.otherRoots()
	}
	if none, found := errors.AsType[*certpath.NoPathError](err); found {
		return h.ofNoPath(none)
	}
	if failure.Is[*failure.ManyAddressesError](err) {
		return "say whose it is with --email ADDRESS, a file at a time"
	}
	if errors.Is(err, failure.ErrTwice) {
		return "give only the certificate that is on the user's card"
	}
	if refused, found := errors.AsType[*failure.RefusedError](err); found {
		if refused.Refused == 0 {
			return "give files with certificates: PEM, DER, PKCS#7 or PKCS#12; why one cannot be read stands beside it"
		}
		return "send the CA what stands beside each finding; where a certificate is missing, " + h.give("it", "--chain FILE")
	}
	if failure.Is[*certificate.CipherError](err) {
		return "have it written again with AES; its certificates alone, where openssl knows the cipher: openssl pkcs12 -in FILE -nokeys -out certificates.pem, and -legacy for RC4 and DES"
	}
	if other, ok := errors.AsType[*certificate.KindError](err); ok {
		return hintForKind(other.Kind)
	}
	return ""
}

// otherRoots says how roots are named that are not Yubico's.
func (h hints) otherRoots() string {
	flag := "--attestation-roots FILE"
	switch {
	case h.desk:
		return ""
	case h.command != nil && h.has("roots"):
		flag = "--roots FILE"
	}
	return "; roots of a practice lab, or others than Yubico's, are named with " + flag
}

// hintForKind says what to do about a file that holds something else than certificates.
func hintForKind(kind certificate.Kind) string {
	switch kind {
	case certificate.KindPrivateKey:
		return "take the private key out of that file, which is for certificates; who can read the file may have the key, so ask whether it has to be replaced"
	case certificate.KindRequest:
		return "give that request to the CA, and the certificate that comes back here"
	case certificate.KindPage:
		return "open that page in a browser: it says why there was no certificate to save"
	}
	return ""
}

// ofNoPath is about certificates that do not lead to a root.
func (h hints) ofNoPath(err *certpath.NoPathError) string {
	switch err.Fault.Cause {
	case certpath.CauseAlgorithm, certpath.CauseSpelling:
		return "ask those who issued it for a certificate without this fault"
	case certpath.CauseOtherKey:
		return h.give("the certificate of the authority that issued it", "--chain FILE") + ": authorities that were renewed often keep their name"
	case certpath.CauseGivenUp:
		return h.give("only the authorities above the user's certificate", "--chain FILE")
	}
	return h.give("the missing certificates", "--chain FILE")
}
