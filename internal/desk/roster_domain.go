package desk

import (
	"fmt"
	"strings"
)

// MarkOtherDomains marks who has an address of another domain than the desk's, and
// notes it. Where the domain is not known, "", it is the one that most have.
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

func domainOf(person Person) string {
	_, domain, _ := strings.Cut(strings.ToLower(person.Email), "@")
	return domain
}
