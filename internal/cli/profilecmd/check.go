package profilecmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cse-piv/cse-piv/internal/cli/option"
	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/describe"
	"github.com/cse-piv/cse-piv/internal/enroll"
	"github.com/cse-piv/cse-piv/internal/piv"
	"github.com/cse-piv/cse-piv/internal/piv/attestation"
)

// CheckedCard is the JSON of profile check.
type CheckedCard struct {
	Profile  string                  `json:"profile"` // its name
	SHA256   string                  `json:"sha256"`  // of what it says
	Serial   uint32                  `json:"serial"`  // of the card
	Met      bool                    `json:"met"`     // the card is as the profile asks for
	Findings []enroll.ProfileFinding `json:"findings"`
}

func newCheck(streams *stdio.Streams) *cobra.Command {
	var serial uint32
	var trust option.Trust
	var asJSON bool
	command := &cobra.Command{
		Use: "check [NAME]", Short: "Check whether a card is as an enrollment profile asks for",
		Long: "check compares the card in the reader with the profile: its firmware, how many tries it gives, and what it\n" +
			"attests of the keys in the profile's slots. Of an empty slot it says whether the card can make such a key.\n" +
			"It changes nothing and uses no PIN. The exit code is 7 where the card is not as the profile asks for.",
		Example: "  cse-piv profile check staff\n  cse-piv profile check staff --serial 12345678 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			profile, err := named(cmd, args)
			if err != nil {
				return err
			}
			trusted, err := trust.OpenAndSay(streams.Err)
			if err != nil {
				return err
			}
			checked := CheckedCard{Profile: profile.Name, SHA256: profile.SHA256, Findings: []enroll.ProfileFinding{}}
			var id piv.Identity
			err = option.UseCard(cmd.Context(), serial, func(card *piv.Card) error {
				id = card.Identity()
				found, err := checkCard(cmd.Context(), card, &profile.Profile, trusted)
				checked.Findings = append(checked.Findings, found...)
				return err
			})
			if err != nil {
				return err
			}
			unmet := profile.Error(checked.Findings)
			checked.Serial, checked.Met = id.Serial, unmet == nil
			if asJSON {
				return errors.Join(stdio.JSON(streams.Out, checked), stdio.Told(unmet))
			}
			table := stdio.NewTable(streams.Out, "card", describe.Card(id))
			table.Row("profile", profile.Line())
			for _, value := range describe.ProfileFindings(checked.Findings) {
				mark := "ok"
				if value.Tone == describe.Bad {
					mark = "not met"
				}
				table.Row(value.Label, mark+": "+value.Text)
			}
			return errors.Join(table.Flush(), unmet)
		},
	}
	option.AddSerial(command.Flags(), &serial, "`serial` number of the card; needed when there are several")
	trust.Add(command.Flags())
	option.AddJSON(command, &asJSON)
	return command
}

// checkCard says of everything that the profile asks for whether the card is so.
func checkCard(ctx context.Context, card *piv.Card, profile *enroll.Profile, trusted attestation.Trust) ([]enroll.ProfileFinding, error) {
	all := profile.CheckFirmware(card.Identity().Firmware)
	protection, err := card.Protection(ctx)
	if err != nil {
		return all, err
	}
	all = append(all, tries("tries of the PIN", profile.PINTries, protection.PIN)...)
	all = append(all, tries("tries of the PUK", profile.PUKTries, protection.PUK)...)
	for _, slot := range profile.Slots() {
		contents, err := card.Slot(ctx, slot)
		if err != nil {
			return all, err
		}
		found, err := checkSlot(ctx, card, profile, contents, trusted)
		if err != nil {
			return all, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// tries compares a number of tries; where the card does not tell, there is nothing to compare.
func tries(what string, wanted int, counter piv.Counter) []enroll.ProfileFinding {
	if wanted == 0 || counter.Max == piv.UnknownTries {
		return nil
	}
	found := fmt.Sprint(counter.Max)
	if counter.Factory == piv.Yes && counter.Max != wanted {
		found += ", and an enrollment sets them"
	}
	return []enroll.ProfileFinding{{What: what, Wanted: fmt.Sprint(wanted), Found: found, Met: counter.Max == wanted || counter.Factory == piv.Yes}}
}

// checkSlot compares what the card attests of a key or, where the slot is empty, what it can make.
func checkSlot(ctx context.Context, card *piv.Card, profile *enroll.Profile, contents piv.SlotContents, trusted attestation.Trust) ([]enroll.ProfileFinding, error) {
	what := "slot " + contents.Slot.String()
	if contents.Key == nil && !contents.KeyUnknown {
		finding := enroll.ProfileFinding{What: what, Wanted: "able to make such a key", Found: "empty, and the card can make such a key", Met: true}
		err := card.Identity().CheckPolicy(contents.Slot, profile.PINPolicy)
		if profile.Algorithm != "" {
			err = errors.Join(err, piv.Supports(card.Identity().Firmware, profile.Algorithm))
		}
		if err != nil {
			finding.Found, finding.Met = "empty; "+err.Error(), false
		}
		return []enroll.ProfileFinding{finding}, nil
	}
	facts, err := option.Attest(ctx, card, contents.Slot, trusted)
	if errors.Is(err, piv.ErrNotAttestable) || errors.Is(err, piv.ErrCannotAttest) || errors.Is(err, attestation.ErrRefused) {
		return []enroll.ProfileFinding{{What: what, Wanted: "attested", Found: "not attested: " + err.Error()}}, nil
	}
	if err != nil {
		return nil, err
	}
	return profile.CheckKey(contents.Slot, facts), nil
}
