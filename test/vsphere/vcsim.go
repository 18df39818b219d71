// Starts govmomi's vSphere API simulator for the tests of the driver vsphere: a vCenter with a cluster and two hosts
// beside it, or one ESXi host. Prints one line of JSON and runs until its standard input ends.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	esx := flag.Bool("esx", false, "one ESXi host instead of a vCenter")
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	flag.Parse()

	model := simulator.VPX()
	model.Host = 2
	if *esx {
		model = simulator.ESX()
	}
	model.Machine = 1
	if err := model.Create(); err != nil {
		panic(err)
	}
	defer model.Remove()
	model.Service.RegisterEndpoints = true
	model.Service.TLS = new(tls.Config)
	model.Service.Listen = &url.URL{Host: *address, User: url.UserPassword("user", "pass")}
	server := model.Service.NewServer()
	defer server.Close()

	_ = json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"url": "https://" + server.URL.Host,
	})
	_, _ = io.Copy(io.Discard, os.Stdin)
}
