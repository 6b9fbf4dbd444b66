package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	classifier "github.com/google/licenseclassifier/v2"
	"github.com/google/licenseclassifier/v2/assets"
)

// licences recognises the texts of licences.
type licences struct{ known *classifier.Classifier }

func newLicences() (licences, error) {
	known, err := assets.DefaultClassifier()
	return licences{known}, err
}

// of returns an SPDX expression of the licences that the files in a module's folder hold, such
// as "BSD-3-Clause" or "Apache-2.0 AND MIT". A module whose licence is not recognised is an
// error.
func (l licences) of(m module) (string, error) {
	files, err := licenceFiles(m.Dir)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.Path, err)
	}
	var names []string
	for _, file := range files {
		contents, err := os.ReadFile(filepath.Join(m.Dir, file))
		if err != nil {
			return "", err
		}
		for _, match := range l.known.Match(contents).Matches {
			if match.MatchType == "License" {
				names = append(names, match.Name)
			}
		}
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%s: the licence in %s is not recognised", m.Path, strings.Join(files, ", "))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " AND "), nil
}
