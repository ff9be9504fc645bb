module compile

go 1.24
