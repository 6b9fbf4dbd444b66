// Package prepare makes an entry of the ledger from a source's row: it parses the
// certificates, finds each leaf, builds and checks its chain, and packs it for
// Gmail. It reads and asks nothing; what is wrong with a row stays in its entry.
package prepare

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cse-piv/cse-piv/internal/batch/source"
	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/certpath"
	"github.com/cse-piv/cse-piv/internal/ledger"
	"github.com/cse-piv/cse-piv/internal/logging"
	"github.com/cse-piv/cse-piv/internal/safetext"
	"github.com/cse-piv/cse-piv/internal/secret"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// Options says what rows are prepared with.
type Options struct {
	// Chain holds authorities' certificates for chains that are not whole in the
	// source, in any order.
	Chain []*x509.Certificate
	// Password is that of PKCS#12 files, where they have one.
	Password secret.Secret
	// Choose says which of several certificates of a user is on the card.
	Choose source.Choice
	// Split makes a pair for signing and one for encryption of a file that has a
	// certificate for each of them, and none for both.
	Split bool
	// AllowLimitedUse takes a certificate that does not allow what its key pair is for.
	AllowLimitedUse bool
	// Sources returns what is asked about certificates, within a context; nil for nothing.
	Sources func(ctx context.Context) smime.Sources
	// Now is when certificates must be valid; nil means time.Now.
	Now func() time.Time
	// Hint returns what to do about a [*Fault] or a [*source.Error], or "".
	Hint func(error) string
}

// Preparer prepares rows. It is safe for concurrent use.
type Preparer struct {
	now         func() time.Time
	hint        func(error) string
	authorities *certpath.Pool
	choose      source.Choice
	sources     func(ctx context.Context) smime.Sources
	reader      certificate.Reader
	verifier    certpath.Verifier
	adviser     adviser

	split, allowLimitedUse bool
}

// New returns a Preparer.
func New(options Options) *Preparer {
	p := &Preparer{now: options.Now, hint: options.Hint, authorities: certpath.NewPool(options.Chain), choose: options.Choose, reader: certificate.Reader{Password: options.Password},
		sources: options.Sources, split: options.Split, allowLimitedUse: options.AllowLimitedUse}
	if p.now == nil {
		p.now = time.Now
	}
	if p.sources == nil {
		p.sources = func(context.Context) smime.Sources { return smime.Sources{} }
	}
	return p
}

// Entry prepares a row. The entry waits, with the pairs that the row asks for, or
// has failed with [ledger.ClassRow] and a Reason that is the row error's, a
// rule's of package smime, or one of this package's. What stands in an address's
// place and is none, which may be anything, is not kept.
func (p *Preparer) Entry(ctx context.Context, row source.Row) ledger.Entry {
	now, isAddress := p.now(), safetext.IsAddress(row.Email)
	entry := ledger.Entry{Where: row.Where, Line: row.Line, State: ledger.StateWaiting, Step: ledger.StepRead, Updated: now}
	if isAddress {
		entry.Email = row.Email
		ctx = logging.Adding(ctx, logging.Email, row.Email)
	}
	pairs, warnings, err := p.pairs(ctx, row, isAddress, now)
	entry.Warnings = warnings
	if err == nil {
		entry.Pairs = pairs
		return entry
	}
	entry.State, entry.Class, entry.Reason, entry.Message = ledger.StateFailed, ledger.ClassRow, "row", err.Error()
	var fault *Fault
	var broken *source.Error
	switch {
	case errors.As(err, &fault):
		entry.Reason = fault.Reason
	case errors.As(err, &broken):
		entry.Reason = broken.Reason
	}
	if p.hint != nil {
		entry.Hint = p.hint(err)
	}
	return entry
}

// pairs makes the row's key pairs: one for both uses or one for each, then those
// for history.
func (p *Preparer) pairs(ctx context.Context, row source.Row, isAddress bool, now time.Time) (pairs []ledger.Pair, warnings []string, err error) {
	if row.Err != nil {
		return nil, nil, row.Err
	}
	if err := checkRow(row, isAddress); err != nil {
		return nil, nil, err
	}
	leaves, warnings, err := p.leavesOf(row)
	if err != nil {
		return nil, warnings, err
	}
	for _, leaf := range leaves {
		pair, notes, err := p.pair(ctx, row, leaf, now)
		warnings = append(warnings, notes...)
		if err != nil {
			return nil, warnings, err
		}
		if slices.ContainsFunc(pairs, func(other ledger.Pair) bool { return other.LeafSHA256 == pair.LeafSHA256 }) {
			warnings = append(warnings, fmt.Sprintf("%s is left out as history: it is there already", leaf.origin))
			continue
		}
		pairs = append(pairs, pair)
	}
	return pairs, warnings, nil
}

// leaf is one of a row's certificates, parsed.
type leaf struct {
	use    certificate.Use
	origin string
	cert   *x509.Certificate
	parts  []*x509.Certificate // what else the file had
}

// leavesOf parses a row's certificates, those in use first, and returns what a person
// may want to know of how they were found. One certificate given both for signing and
// for encryption is one for both.
func (p *Preparer) leavesOf(row source.Row) (leaves []leaf, notes []string, err error) {
	var current, history []leaf
	notes = slices.Clone(row.Notes)
	for _, c := range row.Certificates {
		certs, err := p.reader.Parse(c.Data)
		switch {
		case errors.Is(err, certificate.ErrPassword):
			return nil, notes, &Fault{"certificate-password", fmt.Sprintf("%s: %v", c.Origin, err)}
		case err != nil:
			return nil, notes, &Fault{"certificate-unreadable", fmt.Sprintf("%s: %v", c.Origin, err)}
		}
		pair, err := p.splitRow(certs, row.Email, c)
		if err != nil {
			return nil, notes, err
		}
		if pair != nil {
			current = append(current, pair...)
			continue
		}
		cert, note, err := findLeaf(certs, row.Email, c, p.choose)
		if err != nil {
			return nil, notes, err
		}
		if note != "" {
			notes = append(notes, note)
		}
		l := leaf{use: c.Use, origin: c.Origin, cert: cert, parts: others(certs, cert)}
		if c.Use == certificate.UseHistory {
			history = append(history, l)
		} else {
			current = append(current, l)
		}
	}
	if len(current) == 2 && current[0].cert.Equal(current[1].cert) {
		current[0].parts = append(current[0].parts, current[1].parts...)
		current[0].use, current = certificate.UseBoth, current[:1]
	}
	slices.SortStableFunc(current, func(a, b leaf) int { return order(a.use) - order(b.use) })
	return append(current, history...), notes, nil
}

// others returns what else than the leaf a file had.
func others(certs []*x509.Certificate, leaf *x509.Certificate) []*x509.Certificate {
	if len(certs) == 1 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(certs), func(cert *x509.Certificate) bool { return cert == leaf })
}

func order(use certificate.Use) int {
	return slices.Index([]certificate.Use{certificate.UseBoth, certificate.UseSign, certificate.UseEncrypt}, use)
}

// pair makes the key pair of one leaf.
func (p *Preparer) pair(ctx context.Context, row source.Row, leaf leaf, now time.Time) (ledger.Pair, []string, error) {
	chain, warnings, err := p.chain(ctx, row.Email, leaf, now)
	if err != nil {
		return ledger.Pair{}, nil, err
	}
	pair, err := pack(leaf.use, chain, row.Description)
	return pair, warnings, err
}

// chain builds and checks the chain of one leaf. A chain for history is not checked and
// goes as far as it can be built.
func (p *Preparer) chain(ctx context.Context, email string, leaf leaf, now time.Time) (chain []*x509.Certificate, warnings []string, err error) {
	sources := p.sources(ctx)
	chain, err = p.verifier.Build(leaf.cert, p.authorities.With(leaf.parts), certpath.Options{Now: now, Mail: true, Fetch: sources.Fetch})
	// Where the chain breaks off is found by Check, with all else that is wrong.
	none, broken := errors.AsType[*certpath.NoPathError](err)
	if broken {
		chain = none.Chain
	} else if err != nil {
		return nil, nil, &Fault{"chain", err.Error()}
	}
	if leaf.use == certificate.UseHistory {
		return chain, nil, nil
	}
	findings := smime.Check(&p.verifier, chain, smime.CheckOptions{Email: email, Use: leaf.use, Now: now, NoPath: none, Sources: sources})
	if err := faultOf(leaf.origin, findings); err != nil {
		return nil, nil, err
	}
	if err := p.checkUse(leaf); err != nil {
		return nil, nil, err
	}
	for _, f := range findings {
		if f.Severity == smime.SeverityWarning {
			warnings = append(warnings, describeFinding(f, leaf.use))
		}
	}
	if advice := p.adviser.advice(leaf.cert); advice != "" {
		warnings = append(warnings, advice)
	}
	return chain, warnings, nil
}

// pack makes of a chain what Gmail and the ledger take.
func pack(use certificate.Use, chain []*x509.Certificate, description string) (ledger.Pair, error) {
	pkcs7, err := certificate.EncodePKCS7(chain)
	if err != nil {
		return ledger.Pair{}, &Fault{"chain", err.Error()}
	}
	leaf := chain[0]
	if description == "" {
		description = describe(leaf)
	}
	return ledger.Pair{Use: use, LeafSHA256: certificate.Fingerprint(leaf), NotAfter: leaf.NotAfter.UTC(), Description: description, PKCS7: pkcs7}, nil
}
