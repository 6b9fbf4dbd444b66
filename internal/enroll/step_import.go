package enroll

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/cse-piv/cse-piv/internal/certificate"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/smime"
)

// importStep puts the certificate into the slot beside its key, and gives the
// card a new CHUID, because Windows caches a card's certificates by it.
func importStep(index int, request KeyRequest) Step {
	step := keyStep("import", "put the certificate into slot %s", KindChange, changesCard, request)
	step.needs = func(e *enrollment) bool { return e.keys[index].leaf != nil }
	step.preview = func(_ context.Context, e *enrollment) error { return e.tellPacking(e.keys[index].leaf) }
	step.look = func(ctx context.Context, e *enrollment) (bool, error) {
		key := e.keys[index]
		contents, err := e.card.Slot(ctx, key.Slot)
		if err != nil {
			return false, err
		}
		key.onCard = contents.Certificate != nil && certificate.Fingerprint(contents.Certificate) == certificate.Fingerprint(key.leaf)
		return key.onCard, nil
	}
	step.act = func(ctx context.Context, e *enrollment) error {
		key := e.keys[index]
		if err := e.tellPacking(key.leaf); err != nil {
			return err
		}
		// The CHUID first: when the run ends in between, the certificate is
		// still missing and both are written again.
		refresh := e.card.RefreshCHUID
		if e.request.KeepCHUID {
			refresh = e.card.EnsureCHUID
		}
		err := refresh(ctx, e.secrets.managementKey)
		switch {
		case errors.Is(err, piv.ErrIssuerCHUID):
			e.note("%v and stays: Windows caches certificates by it, and may go on showing what slot %s held before", err, key.Slot)
		case err != nil:
			return err
		}
		return e.card.PutCertificate(ctx, e.secrets.managementKey, key.Slot, key.leaf)
	}
	return step
}

// importResult is whether the certificate is on the card.
type importResult struct{ onCard bool }

// tellPacking says that a certificate has to be packed to fit onto the card, before
// it is, and what the issuer would have to do that it need not be.
func (e *enrollment) tellPacking(leaf *x509.Certificate) error {
	packing, err := piv.PackingOf(e.card.Identity().Firmware, leaf)
	if err != nil || !packing.Gzip {
		return err
	}
	e.note("the certificate has %d bytes, and the card takes %d as they are: it is stored packed with gzip, which some programs cannot read (ykman 4.0 then shows nothing of the card, yubico-piv-tool 2.2 not this certificate)",
		packing.Size, packing.Room)
	e.note("%s", avoidPacking(packing, smime.SpareParts(leaf)))
	return nil
}

// avoidPacking says which of the parts a certificate would have to be issued
// without to be stored as it is.
func avoidPacking(packing piv.Packing, spare []smime.Part) string {
	left := packing.Size - packing.Room
	var names []string
	for _, part := range spare {
		if left <= 0 {
			break
		}
		names = append(names, fmt.Sprintf("%s (%d bytes)", part.Name, part.Size))
		left -= part.Size
	}
	if left > 0 {
		return fmt.Sprintf("leaving out what mail does not need would not make it fit; a certificate of at most %d bytes would", packing.Room)
	}
	return "to avoid that have the issuer leave out what mail does not need: " + strings.Join(names, ", ")
}
