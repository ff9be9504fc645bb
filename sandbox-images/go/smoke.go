// The go image: packages of the standard library come out of the seeded cache.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
)

func main() {
	text, err := json.Marshal(map[string]int{"status": http.StatusOK})
	if err != nil || string(text) != `{"status":200}` {
		panic(fmt.Sprint(string(text), err))
	}
	fmt.Println("smoke ok")
}
