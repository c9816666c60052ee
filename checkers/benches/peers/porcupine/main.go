// Porcupine on the recorded histories that our own benchmark reads, for comparison.
//
//	go run . [-whole] [-repeat N] [-timeout SECONDS] FILE...
//
// A file is either Jepsen's console log of one register with compare-and-set, where a cas that
// failed proves that the value differed, or EDN events of a map of strings with append, put and get.
// One line comes out: the answers of all files, the time of the fastest of N rounds over all of
// them (reading the files is not counted), and the most memory that the process ever had.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

func main() {
	whole := flag.Bool("whole", false, "do not split a map by key")
	repeat := flag.Int("repeat", 1, "rounds; the fastest counts")
	timeout := flag.Int("timeout", 60, "seconds for each file")
	flag.Parse()

	type task struct {
		model  porcupine.Model
		events []porcupine.Event
	}
	var tasks []task
	for _, name := range flag.Args() {
		lines, err := readLines(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if strings.HasPrefix(lines[0], "{") {
			tasks = append(tasks, task{stringsModel(*whole), stringsEvents(lines)})
		} else {
			tasks = append(tasks, task{registerModel(), registerEvents(lines)})
		}
	}

	counts := map[porcupine.CheckResult]int{}
	best := time.Duration(0)
	for round := 0; round < *repeat; round++ {
		clear(counts)
		start := time.Now()
		for _, task := range tasks {
			limit := time.Duration(*timeout) * time.Second
			counts[porcupine.CheckEventsTimeout(task.model, task.events, limit)]++
		}
		if took := time.Since(start); best == 0 || took < best {
			best = took
		}
	}
	fmt.Printf("valid %d invalid %d unknown %d seconds %.6f kilobytes %d\n",
		counts[porcupine.Ok], counts[porcupine.Illegal], counts[porcupine.Unknown],
		best.Seconds(), peakKilobytes())
}

func readLines(name string) ([]string, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var lines []string
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		if line := strings.TrimSpace(scanner.Text()); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	return lines, scanner.Err()
}

func peakKilobytes() int {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			number, _ := strconv.Atoi(strings.Fields(rest)[0])
			return number
		}
	}
	return 0
}

// Events of processes, with an id for each operation. What never completed returns at the end.
type pairing struct {
	events []porcupine.Event
	open   map[int]int
	next   int
}

func (p *pairing) invoke(process int, input any) {
	if p.open == nil {
		p.open = map[int]int{}
	}
	p.open[process] = p.next
	p.events = append(p.events, porcupine.Event{
		ClientId: process, Kind: porcupine.CallEvent, Value: input, Id: p.next,
	})
	p.next++
}

func (p *pairing) complete(process int, output any) {
	id := p.open[process]
	delete(p.open, process)
	p.events = append(p.events, porcupine.Event{
		ClientId: process, Kind: porcupine.ReturnEvent, Value: output, Id: id,
	})
}

func (p *pairing) finish(unknown any) []porcupine.Event {
	for process := range maps.Clone(p.open) {
		p.complete(process, unknown)
	}
	return p.events
}

// The register.

const absent = -1

type registerInput struct {
	f        string
	from, to int
}

type registerOutput struct {
	known, refused bool
	value          int
}

func registerModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return absent },
		Step: func(state, input, output any) (bool, any) {
			value, in, out := state.(int), input.(registerInput), output.(registerOutput)
			switch in.f {
			case "read":
				return !out.known || out.value == value, value
			case "write":
				return true, in.to
			}
			matches := value == in.from
			if out.refused {
				return !matches, value
			}
			if matches {
				return true, in.to
			}
			return !out.known, value
		},
	}
}

var logLine = regexp.MustCompile(`-\s+(\d+)\s+:(\w+)\s+:(\w+)\s+(.*)$`)

func registerEvents(lines []string) []porcupine.Event {
	var p pairing
	for _, line := range lines {
		parts := logLine.FindStringSubmatch(line)
		if parts == nil {
			continue
		}
		process, _ := strconv.Atoi(parts[1])
		kind, f, value := parts[2], parts[3], parts[4]
		switch {
		case kind == "invoke" && f == "cas":
			numbers := strings.Fields(strings.Trim(value, "[]"))
			p.invoke(process, registerInput{f, number(numbers[0]), number(numbers[1])})
		case kind == "invoke":
			p.invoke(process, registerInput{f: f, to: number(value)})
		case kind == "ok":
			p.complete(process, registerOutput{known: true, value: number(value)})
		case kind == "fail" && f == "cas":
			p.complete(process, registerOutput{known: true, refused: true})
		case kind == "fail" && f == "read":
			p.complete(process, registerOutput{})
		}
	}
	return p.finish(registerOutput{})
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		return absent
	}
	return value
}

// The map of strings.

type stringsInput struct {
	f, key, piece string
}

func (in stringsInput) after(text string) string {
	switch in.f {
	case "append":
		return text + in.piece
	case "put":
		return in.piece
	}
	return text
}

func stringsModel(whole bool) porcupine.Model {
	if whole {
		return porcupine.Model{
			Init: func() any { return map[string]string{} },
			Step: func(state, input, output any) (bool, any) {
				strings, in := state.(map[string]string), input.(stringsInput)
				if in.f == "get" {
					return strings[in.key] == output.(string), strings
				}
				strings = maps.Clone(strings)
				strings[in.key] = in.after(strings[in.key])
				return true, strings
			},
			Equal: func(one, other any) bool {
				return maps.Equal(one.(map[string]string), other.(map[string]string))
			},
		}
	}
	return porcupine.Model{
		PartitionEvent: func(events []porcupine.Event) [][]porcupine.Event {
			keys := map[string]int{}
			keyOf := map[int]int{}
			var split [][]porcupine.Event
			for _, event := range events {
				if event.Kind == porcupine.CallEvent {
					key := event.Value.(stringsInput).key
					if _, known := keys[key]; !known {
						keys[key] = len(split)
						split = append(split, nil)
					}
					keyOf[event.Id] = keys[key]
				}
				place := keyOf[event.Id]
				split[place] = append(split[place], event)
			}
			return split
		},
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			text, in := state.(string), input.(stringsInput)
			return in.f != "get" || text == output.(string), in.after(text)
		},
	}
}

var mapLine = regexp.MustCompile(
	`:process (\d+), :type :(\w+), :f :(\w+), :key "([^"]*)", :value (?:nil|"([^"]*)")`)

func stringsEvents(lines []string) []porcupine.Event {
	var p pairing
	for _, line := range lines {
		parts := mapLine.FindStringSubmatch(line)
		if parts == nil {
			continue
		}
		process, _ := strconv.Atoi(parts[1])
		switch parts[2] {
		case "invoke":
			p.invoke(process, stringsInput{parts[3], parts[4], parts[5]})
		case "ok":
			p.complete(process, parts[5])
		}
	}
	return p.finish("")
}
