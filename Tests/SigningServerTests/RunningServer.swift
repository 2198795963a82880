import CMSSignatures
import Foundation
import Logging
import Octets
import SigningServer
import TestSupport

/// The server in this process, on a free port of the loopback, with the demonstration site's keys.
final class RunningServer: Sendable {
    struct Answer: Sendable, CustomStringConvertible {
        /// 0 when the connection broke.
        let status: Int
        let fields: String
        let body: String
        var description: String { "\(status)\n\(fields)\n\(body)" }

        /// The text of the first element of this local name.
        func text(of element: String) -> String? {
            guard
                let match = try? Regex(
                    "<(?:[a-z0-9]+:)?\(element)(?: [^>]*)?>([^<]*)<", as: (Substring, Substring).self
                )
                .firstMatch(in: body)
            else { return nil }
            return String(match.1)
        }
    }

    let scratch: ScratchDirectory
    let address: String
    private let isOnSocket: Bool
    private let serving: Task<Void, any Error>
    var site: String { scratch.file("site") }

    /// - Parameters:
    ///   - isOnSocket: Listens on the site's Unix socket, as `ses-dss init` has it, in place of the loopback.
    ///   - edit: Changes `dss.xml` before it is read.
    init(
        faults: [String] = [], isOnSocket: Bool = false, deadlines: ConnectionDeadlines = ConnectionDeadlines(),
        edit: (String) -> String = { $0 }
    ) async throws {
        self.isOnSocket = isOnSocket
        scratch = try ScratchDirectory()
        let site = scratch.file("site")
        try FileManager.default.copyItem(atPath: try Self.made.get().file("site"), toPath: site)
        let path = site + "/dss.xml"
        var made = String(decoding: try TestMaterial.octets(path), as: UTF8.self)
        if !isOnSocket {
            made = made.replacing(
                "<Listen unix=\"socket\"/>", with: "<Listen address=\"127.0.0.1\" port=\"0\"/>")
        }
        try scratch.write(Array(edit(made).utf8), to: "site/dss.xml")
        let configuration = try SigningServerConfiguration.load(
            path: path, environment: [:], allowsReadableSecrets: true)
        let server = try SigningServer(
            configuration, faults: faults.compactMap { InjectedFault($0) }, scratchDirectory: scratch.path,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, deadlines: deadlines)
        let (addresses, continuation) = AsyncStream.makeStream(of: String.self)
        serving = Task {
            defer { continuation.finish() }
            try await server.serve { continuation.yield($0) }
        }
        var waiting = addresses.makeAsyncIterator()
        guard let first = await waiting.next() else {
            try await serving.value
            throw HarnessError("the server ended without listening")
        }
        address = first
    }

    deinit { serving.cancel() }

    /// Keys are slow to make: one site for all tests, which each server gets a copy of.
    private static let made: Result<ScratchDirectory, any Error> = Result {
        let scratch = try ScratchDirectory()
        try DemonstrationSite.make(in: scratch.file("site"), now: Int(Date().timeIntervalSince1970))
        return scratch
    }

    /// Posts `body` by curl.
    func post(_ path: String, _ body: some Collection<UInt8>, options: [String] = []) async throws -> Answer {
        let own = try ScratchDirectory()
        let request = try own.write(body, to: "request")
        var base = address
        var options = options
        if isOnSocket {
            base = "http://localhost"
            options += ["--unix-socket", site + "/socket"]
        }
        let run = try await RunningProgram.run(
            "/usr/bin/curl",
            ["-s", "--noproxy", "*", "-H", "Content-Type: text/xml", "-H", "Expect:", "--data-binary", "@" + request]
                + ["-D", own.file("fields"), "-o", own.file("body"), "-w", "%{http_code}", "--max-time", "60"] + options
                + [base + path], asRoot: true)
        func text(_ name: String) -> String {
            String(decoding: (try? TestMaterial.octets(own.file(name))) ?? [], as: UTF8.self)
        }
        let status = run.status == 0 ? Int(run.output) ?? 0 : 0
        return Answer(status: status, fields: text("fields"), body: text("body"))
    }

    func sign(
        _ document: some Collection<UInt8>, profile: String? = "adss:signing:profile:007",
        alias: String? = "alice@example.test", client: String = "samples_test_client", options: [String] = []
    ) async throws -> Answer {
        let key = alias.map {
            "<KeySelector><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:KeyName>\($0)</ds:KeyName>"
                + "</ds:KeyInfo></KeySelector>"
        }
        let request = Self.request(
            "SignRequest RequestID='SES-1'" + (profile.map { " Profile='\($0)'" } ?? ""), client: client,
            inputs: key ?? "", document)
        return try await post("/adss/signing/dss", Array(request.utf8), options: options)
    }

    func verify(
        _ document: some Collection<UInt8>, signature: String? = nil, client: String = "samples_test_client"
    ) async throws -> Answer {
        let object = signature.map { "<SignatureObject><Base64Signature>\($0)</Base64Signature></SignatureObject>" }
        let request = Self.request(
            "VerifyRequest RequestID='SES-2'", client: client,
            inputs: "<ReturnSigningTimeInfo/><ReturnSignerIdentity/>", document, object: object ?? "")
        return try await post("/adss/verification/dss", Array(request.utf8))
    }

    static func request(
        _ tag: String, client: String, inputs: String, _ document: some Collection<UInt8>, object: String = ""
    ) -> String {
        let element = tag.prefix { $0 != " " }
        return "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><\(tag) "
            + "xmlns='urn:oasis:names:tc:dss:1.0:core:schema'><OptionalInputs><ClaimedIdentity><Name>\(client)</Name>"
            + "</ClaimedIdentity>\(inputs)</OptionalInputs><InputDocuments><Document><Base64Data>"
            + Base64.encode(document)
            + "</Base64Data></Document></InputDocuments>\(object)</\(element)></s:Body></s:Envelope>"
    }
}

enum SignedMail {
    static let entity = "Content-Type: text/plain; charset=utf-8\r\n\r\nHello Bob\r\n"

    /// A multipart/signed mail of ``entity`` and a CMS in base64.
    static func clearSigned(_ signature: String, from: String = "alice@example.test") -> [UInt8] {
        let octets = (try? Base64.decode(signature)) ?? []
        let lines = Base64Encoded(OctetString(octets)).collected().text
        return Array(
            ("From: \(from)\r\nTo: bob@example.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b;"
                + " protocol=\"application/pkcs7-signature\"; micalg=sha-256\r\n\r\n--b\r\n\(entity)\r\n--b\r\n"
                + "Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                + "\(lines)\r\n--b--\r\n").utf8)
    }
}
