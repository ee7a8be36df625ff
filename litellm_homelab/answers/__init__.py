"""What an answer may hold when it leaves for the client: fields, headers, texts of errors."""
