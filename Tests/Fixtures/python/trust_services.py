"""A timestamp authority, an OCSP responder and a place for revocation lists, on a free loopback port.

Everything is answered by OpenSSL's command with what lies in the directory given as the first argument:
    POST /tsa/NAME    NAME.cnf, section [tsa]
    POST /ocsp        index, issuing.pem, ocsp.pem, ocsp.key
    GET  /crl/NAME    the file NAME
While the directory holds a file `down`, everything is answered with 503. Prints `port N`, then one line a request.
"""
import http.server
import os
import subprocess
import sys
import tempfile
import threading

directory = sys.argv[1]
one_at_a_time = threading.Lock()  # the serial file of a timestamp authority has no lock of its own


def openssl(arguments, query):
    with one_at_a_time, tempfile.TemporaryDirectory() as scratch:
        asked, answered = os.path.join(scratch, "query"), os.path.join(scratch, "answer")
        with open(asked, "wb") as file:
            file.write(query)
        command = ["openssl"] + [{"QUERY": asked, "ANSWER": answered}.get(word, word) for word in arguments]
        run = subprocess.run(command, cwd=directory, capture_output=True)
        if not os.path.exists(answered):
            raise RuntimeError(run.stderr.decode(errors="replace"))
        with open(answered, "rb") as file:
            return file.read()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def is_down(self):
        print("request", self.command, self.path, flush=True)
        if os.path.exists(os.path.join(directory, "down")):
            self.answer(503, "text/plain", b"down\n")
            return True
        return False

    def do_GET(self):
        if self.is_down():
            return
        name = os.path.basename(self.path)
        file = os.path.join(directory, name)
        if not self.path.startswith("/crl/") or not os.path.isfile(file):
            return self.answer(404, "text/plain", b"no such list\n")
        with open(file, "rb") as list:
            self.answer(200, "application/pkix-crl", list.read())

    def do_POST(self):
        query = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.is_down():
            return
        kind = self.headers.get("Content-Type", "")
        try:
            if self.path.startswith("/tsa/") and kind == "application/timestamp-query":
                configuration = os.path.basename(self.path) + ".cnf"
                words = ["ts", "-reply", "-config", configuration, "-section", "tsa", "-queryfile", "QUERY", "-out", "ANSWER"]
                self.answer(200, "application/timestamp-reply", openssl(words, query))
            elif self.path == "/ocsp" and kind == "application/ocsp-request":
                words = ["ocsp", "-index", "index", "-CA", "issuing.pem", "-rsigner", "ocsp.pem", "-rkey", "ocsp.key"]
                words += ["-nmin", "60", "-reqin", "QUERY", "-respout", "ANSWER"]
                self.answer(200, "application/ocsp-response", openssl(words, query))
            else:
                self.answer(404, "text/plain", b"no such service\n")
        except RuntimeError as error:
            self.answer(500, "text/plain", str(error).encode())

    def log_message(self, *words):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("port", server.server_address[1], flush=True)
server.serve_forever()
