// A workload with the official Go client. Same steps and answers as py_workload.py.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sort"
	"syscall"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/status"
)

const timeout = 15 * time.Second

type line = map[string]any

var heard = make(chan line, 100)

func certificates(all []*x509.Certificate) []string {
	found := []string{}
	for _, one := range all {
		found = append(found, base64.StdEncoding.EncodeToString(one.Raw))
	}
	return found
}

func fetch(ctx context.Context) (line, error) {
	said, err := workloadapi.FetchX509Context(ctx)
	if err != nil {
		return nil, err
	}
	svids := []line{}
	for _, svid := range said.SVIDs {
		key, err := x509.MarshalPKCS8PrivateKey(svid.PrivateKey)
		if err != nil {
			return nil, err
		}
		one := line{"spiffe_id": svid.ID.String(), "chain": certificates(svid.Certificates), "hint": svid.Hint}
		one["key"] = base64.StdEncoding.EncodeToString(key)
		svids = append(svids, one)
	}
	bundles := line{}
	for _, bundle := range said.Bundles.Bundles() {
		bundles[bundle.TrustDomain().Name()] = certificates(bundle.X509Authorities())
	}
	return line{"svids": svids, "bundles": bundles}, nil
}

func jwt(ctx context.Context, audience string) (line, error) {
	svid, err := workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
	if err != nil {
		return nil, err
	}
	return line{"spiffe_id": svid.ID.String(), "token": svid.Marshal()}, nil
}

func jwtBundles(ctx context.Context) (line, error) {
	set, err := workloadapi.FetchJWTBundles(ctx)
	if err != nil {
		return nil, err
	}
	bundles := map[string][]string{}
	for _, bundle := range set.Bundles() {
		ids := []string{}
		for id := range bundle.JWTAuthorities() {
			ids = append(ids, id)
		}
		sort.Strings(ids)
		bundles[bundle.TrustDomain().Name()] = ids
	}
	return line{"bundles": bundles}, nil
}

// Checks a JWT-SVID with the bundles of the source, as a server would.
func validate(ctx context.Context, token, audience string) (line, error) {
	source, err := workloadapi.NewJWTSource(ctx)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	svid, err := jwtsvid.ParseAndValidate(token, source, []string{audience})
	if err != nil {
		return nil, err
	}
	if _, err := workloadapi.ValidateJWTSVID(ctx, token, audience); err != nil {
		return nil, err
	}
	return line{"spiffe_id": svid.ID.String()}, nil
}

type watcher struct{ stop context.CancelFunc }

func (w watcher) OnX509ContextUpdate(said *workloadapi.X509Context) {
	ids := []string{}
	for _, svid := range said.SVIDs {
		ids = append(ids, svid.ID.String())
	}
	heard <- line{"update": ids}
}

// The client would try again for ever; the steps want to see how the first stream ended.
func (w watcher) OnX509ContextWatchError(err error) {
	heard <- line{"ended": status.Code(err).String()}
	w.stop()
}

func watch() {
	ctx, stop := context.WithCancel(context.Background())
	go workloadapi.WatchX509Context(ctx, watcher{stop})
}

func hear(seconds float64) line {
	select {
	case said := <-heard:
		return said
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return line{"nothing": true}
	}
}

// One request over TLS with the X.509-SVID of this workload, to a server that must have the SVID `server`.
func request(ctx context.Context, step line) (line, error) {
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	server, err := spiffeid.FromString(step["server"].(string))
	if err != nil {
		return nil, err
	}
	config := tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(server))
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: timeout}
	body, err := json.Marshal(step["body"])
	if err != nil {
		return nil, err
	}
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, step["request"].(string), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range step["headers"].(line) {
		asked.Header.Set(name, value.(string))
	}
	answer, err := client.Do(asked)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	return line{"status": answer.StatusCode, "body": json.RawMessage(text)}, nil
}

func perform(step line) (line, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	has := func(name string) bool { _, ok := step[name]; return ok }
	switch {
	case has("x509"), has("fetch"):
		return fetch(ctx)
	case has("jwt"):
		return jwt(ctx, step["jwt"].(string))
	case has("jwt_bundles"):
		return jwtBundles(ctx)
	case has("validate"):
		return validate(ctx, step["validate"].(string), step["audience"].(string))
	case has("watch"):
		watch()
		return line{"watching": true}, nil
	case has("heard"):
		return hear(step["heard"].(float64)), nil
	case has("request"):
		return request(ctx, step)
	case has("variable"):
		return line{"variable": os.Getenv(step["variable"].(string))}, nil
	}
	return nil, fmt.Errorf("%v is not a step", step)
}

func main() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
	steps := bufio.NewScanner(os.Stdin)
	steps.Buffer(nil, 1<<20)
	for steps.Scan() {
		step := line{}
		said, err := line(nil), json.Unmarshal(steps.Bytes(), &step)
		if err == nil {
			said, err = perform(step)
		}
		if err != nil {
			reason := err
			for errors.Unwrap(reason) != nil {
				reason = errors.Unwrap(reason)
			}
			said = line{"error": fmt.Sprintf("%s: %v", status.Code(reason), err)}
		}
		text, err := json.Marshal(said)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
}
