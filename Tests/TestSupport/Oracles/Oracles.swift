import Foundation

/// OpenSSL's command line, the second opinion about signatures.
public enum OpenSSL {
    /// Verifies an S/MIME message; status 0 says that signature and chain are good.
    /// - Parameter anchor: A PEM file with the only trust anchor.
    public static func verify(_ message: [UInt8], anchor: String) async throws -> RunningProgram.Finished {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(message, to: "message.eml")
        return try await RunningProgram.run(
            "/usr/bin/openssl", ["cms", "-verify", "-in", path, "-CAfile", anchor, "-out", scratch.file("content")],
            asRoot: true)
    }

    /// Returns the mail addresses of the certificate that signed `message`.
    public static func signerAddresses(_ message: [UInt8], anchor: String) async throws -> [String] {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(message, to: "message.eml")
        let signer = scratch.file("signer.pem")
        let verified = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["cms", "-verify", "-in", path, "-CAfile", anchor, "-signer", signer, "-out", scratch.file("content")],
            asRoot: true)
        guard verified.status == 0 else { throw HarnessError("openssl cms -verify: \(verified)") }
        let listed = try await RunningProgram.run(
            "/usr/bin/openssl", ["x509", "-in", signer, "-noout", "-email"], asRoot: true)
        return listed.output.split(separator: "\n").map(String.init)
    }
}

/// A message as Python's email package reads it.
public struct PythonReading: Decodable, Sendable {
    public struct Part: Decodable, Sendable {
        public let type: String
        public let name: String?
        public let disposition: String?
        public let parameters: [String: String]
        /// The decoded content as text; nil for a multipart and for what encloses a message.
        public let text: String?
        /// SHA-256 of the decoded content.
        public let digest: String?
    }

    public let fields: [[String]]
    /// By name in lower case, the last value as text: encoded-words (RFC 2047) decoded, octets above 127 as ISO 8859-1
    /// where they are no UTF-8, blanks left out.
    public let decodedFields: [String: String]
    /// All entities in document order, the message itself first.
    public let parts: [Part]
    public let defects: [String]

    public func values(_ name: String) -> [String] {
        fields.filter { $0.first?.lowercased() == name.lowercased() }.compactMap(\.last)
    }

    public func part(_ type: String) -> Part? { parts.first { $0.type == type } }

    public static func of(_ message: [UInt8]) async throws -> PythonReading {
        let run = try await RunningProgram.run("/usr/bin/python3", ["-c", script], input: message, asRoot: true)
        guard run.status == 0 else { throw HarnessError("python3: \(run)") }
        return try JSONDecoder().decode(PythonReading.self, from: Data(run.output.utf8))
    }

    private static let script = """
        import email, email.header, email.policy, hashlib, json, sys
        message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.compat32)
        parts, defects = [], []
        for part in message.walk():
            content = None if part.is_multipart() else part.get_payload(decode=True)
            parts.append({
                "type": part.get_content_type(), "name": part.get_filename(),
                "disposition": part.get_content_disposition(),
                "parameters": {k.lower(): str(v) for k, v in (part.get_params(header="content-type") or [])[1:]},
                "text": None if content is None else content.decode("utf-8", "replace"),
                "digest": None if content is None else hashlib.sha256(content).hexdigest()})
            defects += [type(defect).__name__ for defect in part.defects]
        def decoded(value):
            value = str(value).encode("utf-8", "surrogateescape")
            try: value = value.decode("utf-8")
            except UnicodeDecodeError: value = value.decode("latin-1")
            text = ""
            try: pieces = email.header.decode_header(value)
            except Exception: pieces = [(value, None)]
            for piece, charset in pieces:
                text += piece if isinstance(piece, str) else piece.decode(charset or "latin-1", "replace")
            return "".join(text.split())
        raw = [(k, v) for k, v in message.raw_items()]
        print(json.dumps({
            "decodedFields": {k.lower(): decoded(v) for k, v in raw},
            "fields": [[k, str(v)] for k, v in message.items()], "parts": parts, "defects": defects}))
        """
}
