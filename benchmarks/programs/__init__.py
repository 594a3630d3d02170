"""Small programs that measurements run in processes of their own."""
