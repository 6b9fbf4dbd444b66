package issuer

import (
	"crypto"
	"crypto/x509"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// maxSearched is how many files of a folder are searched for a key whose certificate
// has another name than was asked for.
const maxSearched = 20_000

// keyIndex knows for which keys the certificates in the folder's files are, so that a
// file is parsed once however many requests wait.
type keyIndex struct {
	mu    sync.Mutex
	files map[string]indexedFile
}

type indexedFile struct {
	size     int64
	modified time.Time
	keys     []string // SHA-256 of SubjectPublicKeyInfo
}

// newest returns, of all files of the folder that hold certificates for that key, the
// newest one for the address that is valid now, else the one that ends last; with what is
// in its file. One that is to be renewed, or older than that, does not count.
func (f *fileIssuer) newest(entries []fs.DirEntry, request Request, stem string, key crypto.PublicKey) (leaf *x509.Certificate, certs []*x509.Certificate, file string) {
	want := certificate.KeyFingerprint(key)
	if want == "" {
		return nil, nil, ""
	}
	for n, entry := range entries {
		name := entry.Name()
		ours := isAnswerTo(name, stem) || isAnswerTo(name, stem+"."+keyName(key))
		if !ours && n >= maxSearched || !isCertificateFile(name) || !slices.Contains(f.keysOf(entry), want) {
			continue
		}
		found, err := f.read(name)
		if err != nil {
			continue
		}
		for _, c := range found {
			if (ours || isIssued(c)) && certificate.KeyFingerprint(c.PublicKey) == want && !request.isRenewed(c) && f.better(c, leaf, request.Email) {
				leaf, certs, file = c, found, name
			}
		}
	}
	if leaf == nil {
		return nil, nil, ""
	}
	// What else is there for the key is not part of the chain.
	certs = slices.DeleteFunc(slices.Clone(certs), func(c *x509.Certificate) bool {
		return c != leaf && certificate.SameKey(c.PublicKey, key)
	})
	return leaf, certs, file
}

// isRenewed reports whether a certificate is the one that a new one is to take the place
// of, or one from before that.
func (r Request) isRenewed(c *x509.Certificate) bool {
	return r.Renews != nil && (c.Equal(r.Renews) || c.NotBefore.Before(r.Renews.NotBefore))
}

// better reports whether a certificate is to be preferred: one for the address, then one
// that is valid, then the newer one; of those that are over, the one that ended last.
func (f *fileIssuer) better(c, than *x509.Certificate, email string) bool {
	if than == nil {
		return true
	}
	now := f.now()
	ended, thanEnded := now.After(c.NotAfter), now.After(than.NotAfter)
	early, thanEarly := now.Before(c.NotBefore), now.Before(than.NotBefore)
	names, thanNames := hasAddress(c, email), hasAddress(than, email)
	switch {
	case names != thanNames:
		return names
	case ended != thanEnded:
		return thanEnded
	case ended:
		return c.NotAfter.After(than.NotAfter)
	case early != thanEarly:
		return thanEarly
	}
	return c.NotBefore.After(than.NotBefore)
}

func hasAddress(c *x509.Certificate, email string) bool {
	return slices.ContainsFunc(c.EmailAddresses, func(address string) bool { return strings.EqualFold(address, email) })
}

// isCertificateFile tells by the name whether a certificate may be in a file.
func isCertificateFile(name string) bool {
	lower := strings.ToLower(name)
	return lower != chainFile && !strings.HasSuffix(lower, proofSuffix) &&
		slices.ContainsFunc(certificateSuffixes[:], func(suffix string) bool { return strings.HasSuffix(lower, suffix) })
}

// isAnswerTo reports whether a file has a name that was asked for.
func isAnswerTo(name, stem string) bool {
	return slices.ContainsFunc(certificateSuffixes[:], func(suffix string) bool { return strings.EqualFold(name, stem+suffix) })
}

// isIssued tells a certificate that somebody issued from an attestation, and from one
// that was signed with the key itself.
func isIssued(c *x509.Certificate) bool {
	return !certificate.IsAttestation(c) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) != nil
}

func (f *fileIssuer) read(name string) ([]*x509.Certificate, error) {
	data, err := f.folder.ReadFile(name, certificate.MaxFile)
	if err != nil {
		return nil, err
	}
	return certificate.Parse(data)
}

// keysOf returns the keys of the certificates in a file, none where it cannot be read.
func (f *fileIssuer) keysOf(entry fs.DirEntry) []string {
	info, err := entry.Info()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f.keys.mu.Lock()
	defer f.keys.mu.Unlock()
	known, there := f.keys.files[entry.Name()]
	if there && known.size == info.Size() && known.modified.Equal(info.ModTime()) {
		return known.keys
	}
	known = indexedFile{size: info.Size(), modified: info.ModTime()}
	if certs, err := f.read(entry.Name()); err == nil {
		for _, c := range certs {
			known.keys = append(known.keys, certificate.KeyFingerprint(c.PublicKey))
		}
	}
	if f.keys.files == nil {
		f.keys.files = map[string]indexedFile{}
	}
	f.keys.files[entry.Name()] = known
	return known.keys
}
