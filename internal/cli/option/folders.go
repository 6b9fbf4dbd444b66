package option

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// dataFolder returns a folder for what this program keeps for its user:
// XDG_DATA_HOME or ~/.local/share on Unix, LocalAppData on Windows,
// ~/Library/Application Support on macOS.
func dataFolder(name string) (string, error) {
	base := os.Getenv("XDG_DATA_HOME")
	switch runtime.GOOS {
	case "windows":
		base = os.Getenv("LocalAppData")
	case "darwin":
		base = ""
	}
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding a folder to keep things in: %w", err)
		}
		base = filepath.Join(home, ".local", "share")
		if runtime.GOOS == "darwin" {
			base = filepath.Join(home, "Library", "Application Support")
		}
	}
	return filepath.Join(base, "cse-piv", name), nil
}

// FolderOr returns the given folder as an absolute path, or the default one.
func FolderOr(given, name string) (string, error) {
	if given == "" {
		return dataFolder(name)
	}
	path, err := filepath.Abs(given)
	if err != nil {
		return "", fmt.Errorf("finding folder %s: %w", given, err)
	}
	return path, nil
}
