package issuer

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
)

// chainFile can hold the CA's certificates for all requests of a folder.
const chainFile = "chain.pem"

// exchange is where the request of one key stands in the folder.
type exchange struct {
	stem           string // the names begin with it
	request, proof string // the names of request and attestation
	asked          bool   // the request is there
	found          error  // a certificate that is there and does not count, or nil
}

// folderFiles are the names in the folder, by those in lower case: an address is the
// same in any, and so are names on some systems.
type folderFiles map[string]string

func (f *fileIssuer) files(stem string) (folderFiles, []fs.DirEntry, error) {
	entries, err := f.folder.Entries(".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("folder of requests: %w", err)
	}
	files := folderFiles{}
	for _, entry := range entries {
		name := entry.Name()
		lower := strings.ToLower(name)
		if _, taken := files[lower]; !taken || strings.HasPrefix(name, stem) {
			files[lower] = name
		}
	}
	return files, entries, nil
}

// name returns the name that a file has in the folder, or the one wanted where there is
// none.
func (f folderFiles) name(wanted string) (name string, there bool) {
	if name, there := f[strings.ToLower(wanted)]; there {
		return name, true
	}
	return wanted, false
}

// find returns the certificate for that key and its chain; where there is none that
// counts, nil and where the request has to stand.
func (f *fileIssuer) find(request Request, key crypto.PublicKey) (exchange, []*x509.Certificate, error) {
	stem := fileStem(request.Email, request.Slot)
	files, entries, err := f.files(stem)
	if err != nil {
		return exchange{}, nil, err
	}
	leaf, certs, name := f.newest(entries, request, stem, key)
	if leaf != nil && !f.now().After(leaf.NotAfter) {
		chain, err := f.chain()
		if err != nil {
			return exchange{}, nil, err
		}
		certs, err = leafFirst(append(certs, chain...), key)
		return exchange{}, certs, err
	}
	place, err := f.place(files, stem, key)
	if err != nil {
		return exchange{}, nil, err
	}
	if leaf != nil {
		place.found = &ExpiredError{File: f.folder.Path(name), NotAfter: leaf.NotAfter}
	}
	if leaf != nil || key == nil {
		return place, nil, nil
	}
	// What has the name that was asked for is meant for this key.
	return place, nil, f.checkAnswers(files, place, key)
}

// place decides which names the request has: those of address and slot unless another
// key has them, and the request of this one does not stand there.
func (f *fileIssuer) place(files folderFiles, stem string, key crypto.PublicKey) (exchange, error) {
	if key == nil { // still to be generated
		return exchange{stem: stem, request: stem + requestSuffix}, nil
	}
	for _, stem := range []string{stem, stem + "." + keyName(key)} {
		place := exchange{stem: stem}
		var requestThere, proofThere bool
		place.request, requestThere = files.name(stem + requestSuffix)
		place.proof, proofThere = files.name(stem + proofSuffix)
		other := false
		for name, there := range map[string]bool{place.request: requestThere, place.proof: proofThere} {
			if !there {
				continue
			}
			same, err := f.isFor(name, key)
			if err != nil {
				return exchange{}, err
			}
			other = other || !same
			place.asked = place.asked || same && name == place.request
		}
		if other || !place.asked && f.answersAnother(files, stem, key) {
			continue
		}
		return place, nil
	}
	return exchange{}, fmt.Errorf("%s: %w", f.folder.Path(stem+"."+keyName(key)+requestSuffix), ErrOtherRequest)
}

// isFor reports whether a request or attestation is for that key. What cannot be parsed
// is somebody else's.
func (f *fileIssuer) isFor(name string, key crypto.PublicKey) (bool, error) {
	data, err := f.folder.ReadFile(name, certificate.MaxFile)
	if err != nil {
		return false, err
	}
	found, err := firstKey(data)
	return err == nil && certificate.SameKey(found, key), nil
}

// answersAnother reports whether a certificate of that stem is for another key alone.
func (f *fileIssuer) answersAnother(files folderFiles, stem string, key crypto.PublicKey) bool {
	var other *OtherKeyError
	return errors.As(f.checkAnswers(files, exchange{stem: stem}, key), &other)
}

// checkAnswers returns what is wrong with the certificates that have the name that was
// asked for: they cannot be read, or are for another key.
func (f *fileIssuer) checkAnswers(files folderFiles, place exchange, key crypto.PublicKey) error {
	other := &OtherKeyError{Request: place.request, Asked: describeKey(key)}
	for _, suffix := range certificateSuffixes {
		name, there := files.name(place.stem + suffix)
		if !there {
			continue
		}
		data, err := f.folder.ReadFile(name, certificate.MaxFile)
		if err != nil {
			return fmt.Errorf("certificate file: %w", err)
		}
		certs, err := certificate.Parse(data)
		if err != nil {
			return fmt.Errorf("certificate file %s: %w", f.folder.Path(name), err)
		}
		if _, err := leafFirst(certs, key); err == nil {
			return nil
		}
		other.Files = append(other.Files, f.folder.Path(name))
		other.Got = describeKey(certs[0].PublicKey)
	}
	if len(other.Files) > 0 {
		return other
	}
	return nil
}

func (f *fileIssuer) chain() ([]*x509.Certificate, error) {
	data, err := f.folder.ReadFile(chainFile, certificate.MaxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("chain file: %w", err)
	}
	certs, err := certificate.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("chain file %s: %w", f.folder.Path(chainFile), err)
	}
	return certs, nil
}
