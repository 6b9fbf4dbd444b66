// Package format writes numbers, sizes, durations and dates for people.
package format

import (
	"fmt"
	"strconv"
	"time"
)

// Number writes 12345 as 12,345.
func Number(n int) string {
	digits := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(digits) - 3; i > start; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Count writes a number and what it counts, in the singular: "1 user", "2 users".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Duration writes a time to wait as a person would say it, in at most two units:
// "40 s", "3 min 5 s", "2 h 10 min".
func Duration(d time.Duration) string {
	seconds := int(d.Round(time.Second) / time.Second)
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 600:
		return fmt.Sprintf("%d min %d s", seconds/60, seconds%60)
	case seconds < 3600:
		return fmt.Sprintf("%d min", seconds/60)
	}
	return fmt.Sprintf("%s h %d min", Number(seconds/3600), seconds/60%60)
}

// Size writes a number of bytes in whole units of 1024: "300 bytes", "12 kB", "8 MB".
func Size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%d MB", bytes>>20)
	case bytes >= 1<<10:
		return fmt.Sprintf("%d kB", bytes>>10)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// Second writes a time to the second, in UTC: "2026-11-28 13:05:00Z".
func Second(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// Day writes a date as "2026-11-28", in UTC as certificates have it.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
