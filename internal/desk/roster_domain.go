package desk

import (
	"fmt"
	"slices"
	"strings"
)

// MarkOtherDomains marks who has an address of another domain than the desk's, and
// notes it. Where the domain is not known, "", it is the one that most have; where several have as
// many, nobody is marked.
func (r *Roster) MarkOtherDomains(domain string) {
	counts, most := map[string]int{}, domain
	for _, person := range r.People {
		counts[domainOf(person)]++
	}
	if domain == "" {
		for _, person := range r.People {
			if counts[domainOf(person)] > counts[most] {
				most = domainOf(person)
			}
		}
		if tied := r.domainsOf(counts, counts[most]); len(tied) > 1 {
			r.Notes = append(r.Notes, fmt.Sprintf("of several domains, %d each: %s", counts[most], strings.Join(tied, ", ")))
			return
		}
	}
	var others []string
	for i := range r.People {
		if person := &r.People[i]; !strings.EqualFold(domainOf(*person), most) {
			person.OtherDomain = true
			others = append(others, person.Email)
		}
	}
	const shown = 5
	switch n := len(others); {
	case n == 0:
		return
	case n > shown:
		others = append(others[:shown], fmt.Sprintf("and %d more", n-shown))
	}
	what := "of another domain than " + most
	if domain == "" {
		what += fmt.Sprintf(", which %d of %d have", counts[most], len(r.People))
	}
	r.Notes = append(r.Notes, what+": "+strings.Join(others, ", "))
}

// domainsOf returns the domains that so many have, in the order of the roster.
func (r *Roster) domainsOf(counts map[string]int, n int) (domains []string) {
	for _, person := range r.People {
		if domain := domainOf(person); counts[domain] == n && !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	return domains
}

func domainOf(person Person) string {
	_, domain, _ := strings.Cut(strings.ToLower(person.Email), "@")
	return domain
}
