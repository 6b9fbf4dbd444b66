package option

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cse-piv/cse-piv/internal/cli/stdio"
	"github.com/cse-piv/cse-piv/internal/gmail"
)

// Address returns where Gmail is asked.
func (g *Gmail) Address() string {
	if g.Endpoint == "" {
		return gmail.DefaultEndpoint
	}
	return g.Endpoint
}

// Place says for people where Gmail is asked: Google's own, or something in its place.
func (g *Gmail) Place() string {
	if endpoint := g.Foreign(); endpoint != "" {
		return fmt.Sprintf("the Gmail API at %s, which is not Google's", endpoint)
	}
	return fmt.Sprintf("Google's Gmail API, %s", gmail.DefaultEndpoint)
}

// TargetText says which users are about to be changed, and where.
func (g *Gmail) TargetText(domain string) string {
	return fmt.Sprintf("users of %s are changed now at %s", domain, g.Place())
}

// SayTargets notes once for each domain of the users that they are about to be changed, and where.
func (g *Gmail) SayTargets(messages io.Writer, emails []string) {
	var said []string
	for _, email := range emails {
		if domain := DomainOf(email); !slices.Contains(said, domain) {
			said = append(said, domain)
			stdio.Note(messages, g.TargetText(domain))
		}
	}
}

// DomainOf returns the domain of an address, in lower case.
func DomainOf(email string) string {
	_, domain, _ := strings.Cut(email, "@")
	return strings.ToLower(domain)
}
