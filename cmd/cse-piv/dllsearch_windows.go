package main

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// searchSystemLibraries has Windows look for libraries in its system directory alone,
// from now on: piv-go loads the smart card library by its bare name, which else is looked
// for beside the program first, where a download folder may have another of that name
// (the fault of YSA-2026-01).
func searchSystemLibraries() error {
	if err := windows.SetDefaultDllDirectories(windows.LOAD_LIBRARY_SEARCH_SYSTEM32); err != nil {
		return fmt.Errorf("having Windows look for libraries in its system directory alone: %w", err)
	}
	return nil
}
