package batch_test

import "time"

func processTime() time.Duration { return 0 }

func pidTime(int) time.Duration { return 0 }

func residentMiB(int) float64 { return 0 }
