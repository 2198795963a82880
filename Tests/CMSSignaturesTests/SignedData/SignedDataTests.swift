import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing

@Suite("SignedData of other makers, kinds and sizes")
struct SignedDataTests {
    private let content = OctetString("content")

    @Test("several signers are judged one by one, and the worst counts")
    func severalSigners() async throws {
        let fixture = try await TrustFixture.shared
        let scratch = try ScratchDirectory()
        let signers = [TrustFixture.Signer.good, .revoked, .plain]
        let made = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["cms", "-sign", "-binary", "-outform", "DER", "-in", try scratch.write(content, to: "content")]
                + signers.flatMap { ["-signer", fixture.certificate($0), "-inkey", fixture.key] }
                + ["-certfile", fixture.issuing, "-out", scratch.file("signature")], asRoot: true)
        #expect(made.status == 0, "\(made)")
        let signature = OctetString(try TestMaterial.octets(scratch.file("signature")))
        let verification = try CMSVerifier(policy: try fixture.policy(), use: .mail)
            .verify(signature, content: content, now: TrustFixture.now)
        var verdicts: [String: TrustVerdict] = [:]
        for result in verification.signers { verdicts[result.certificate?.subject ?? ""] = result.verdict }
        #expect(
            verdicts == [
                "CN=good,O=Trust tests": .trusted, "CN=revoked,O=Trust tests": .notTrusted,
                "CN=plain,O=Trust tests": .trusted,
            ])
        #expect(verification.verdict == .notTrusted)
    }

    private func key(_ kind: String, in scratch: ScratchDirectory) async throws -> SigningKey {
        let option = kind == "EC" ? ["-pkeyopt", "ec_paramgen_curve:P-256"] : ["-pkeyopt", "rsa_keygen_bits:2048"]
        for arguments in [
            ["genpkey", "-algorithm", kind] + option + ["-out", scratch.file("key")],
            ["req", "-x509", "-key", scratch.file("key"), "-subj", "/CN=Other", "-days", "2", "-out"]
                + [scratch.file("certificate")],
            ["pkcs12", "-export", "-inkey", scratch.file("key"), "-in", scratch.file("certificate"), "-passout"]
                + ["pass:x", "-out", scratch.file("p12")],
        ] {
            let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
            #expect(run.status == 0, "\(run)")
        }
        return try PKCS12.load(OctetString(try TestMaterial.octets(scratch.file("p12"))), password: "x")
    }

    @Test("a key that may only sign by RSA-PSS is refused")
    func probabilistic() async throws {
        let key = try await key("RSA-PSS", in: try ScratchDirectory())
        for time in [TrustFixture.now, nil] {
            #expect(throws: CryptographyError.self) {
                try CMSSigner(key: key).sign(detached: content, signingTime: time)
            }
        }
    }

    @Test("elliptic curves sign, with and without a signing time")
    func ellipticCurve() async throws {
        let scratch = try ScratchDirectory()
        let key = try await key("EC", in: scratch)
        for time in [TrustFixture.now, nil] {
            let signature = try CMSSigner(key: key, isCAdES: true).sign(detached: content, signingTime: time)
            let policy = TrustPolicy(anchors: [key.certificate])
            let verification = try CMSVerifier(policy: policy, use: .document)
                .verify(signature, content: content, now: TrustFixture.now)
            #expect(verification.verdict == .trusted, "\(verification.details)")
            let verified = try await RunningProgram.run(
                "/usr/bin/openssl",
                ["cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in"]
                    + [try scratch.write(signature, to: "signature"), "-content"]
                    + [try scratch.write(content, to: "content"), "-CAfile", scratch.file("certificate")]
                    + ["-purpose", "any", "-out", "/dev/null"], asRoot: true)
            #expect(verified.status == 0, "\(verified)")
        }
    }

    @Test("one flipped octet of the signed content, at 200 places, is detected each time")
    func flips() throws {
        let demonstration = try Demonstration.shared.get()
        let signed = OctetString((0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let signature = try CMSSigner(key: demonstration.alice, isCAdES: true)
            .sign(detached: signed, signingTime: Demonstration.now)
        let verifier = CMSVerifier(policy: demonstration.policy, use: .mail)
        var generator = SeededNumbers(seed: 200)
        for _ in 0..<200 {
            var octets = signed.array
            octets[Int.random(in: octets.indices, using: &generator)] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            let verification = try verifier.verify(signature, content: OctetString(octets), now: Demonstration.now)
            #expect(verification.verdict == .notTrusted)
            #expect(verification.details.map(\.kind) == [.signature])
        }
    }

    /// Yields as many octets as it is told without holding them.
    private struct Pattern: OctetSource {
        let count: Int
        func makeReader() -> any OctetReader { Reader(rest: count) }
        struct Reader: OctetReader {
            var rest: Int
            mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
                let taken = min(rest, buffer.count)
                UnsafeMutableRawBufferPointer(rebasing: buffer[..<taken]).initializeMemory(
                    as: UInt8.self, repeating: 0x5A)
                rest -= taken
                return taken
            }
        }
    }

    /// Anonymous memory of the process, octets.
    private static func anonymousMemory() throws -> Int {
        let text = String(decoding: try TestMaterial.octets("/proc/self/status"), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * 1_024
    }

    @Test("100 MiB are signed and verified without being held in memory, whatever their source")
    func large() throws {
        let demonstration = try Demonstration.shared.get()
        let content = OctetRope([Pattern(count: 60 << 20), OctetString("between"), Pattern(count: 40 << 20)])
        let before = try Self.anonymousMemory()
        let signer = CMSSigner(key: demonstration.alice)
        let signature = try signer.sign(detached: content, signingTime: nil)
        let verifier = CMSVerifier(policy: demonstration.policy, use: .document)
        #expect(try verifier.verify(signature, content: content, now: Demonstration.now).verdict == .trusted)
        let enclosing = try signer.sign(enclosing: content, signingTime: Demonstration.now)
        #expect(enclosing.count > content.count)
        // Other tests run beside this one.
        #expect(try Self.anonymousMemory() - before < 64 << 20)
    }

    // MARK: Put together by hand

    /// A BER element, taken apart as deep as it is constructed.
    private struct Node {
        var tag: UInt8
        var content: [UInt8] = []
        var children: [Node] = []

        init(_ tag: UInt8, _ children: [Node] = [], content: [UInt8] = []) {
            self.tag = tag
            self.children = children
            self.content = content
        }

        init(_ octets: [UInt8]) {
            var place = 0
            self = Node.read(octets, &place)
        }

        private static func read(_ octets: [UInt8], _ place: inout Int) -> Node {
            var node = Node(octets[place])
            var length = Int(octets[place + 1])
            place += 2
            if length >= 0x80 {
                let size = length & 0x7F
                length = octets[place..<place + size].reduce(0) { $0 << 8 | Int($1) }
                place += size
            }
            let end = place + length
            if node.tag & 0x20 == 0 {
                node.content = Array(octets[place..<end])
                place = end
            } else {
                while place < end { node.children.append(read(octets, &place)) }
            }
            return node
        }

        var octets: [UInt8] {
            let inner = tag & 0x20 == 0 ? content : children.flatMap(\.octets)
            var length: [UInt8] = [UInt8(truncatingIfNeeded: inner.count)]
            if inner.count >= 0x80 && inner.count <= 0xFF {
                length = [0x81, UInt8(inner.count)]
            } else if inner.count > 0xFF {
                length = [0x82, UInt8(inner.count >> 8), UInt8(inner.count & 0xFF)]
            }
            return [tag] + length + inner
        }
    }

    @Test(
        "revocation data in the crls field and among the attributes is used", arguments: ["crls", "attribute", "none"])
    func embeddedRevocation(_ place: String) async throws {
        let fixture = try await TrustFixture.shared
        let response = Node(try await fixture.response(about: .good, by: .delegate))
        let lists = try RevocationList.readAll(
            OctetString(try await fixture.rootList(revokingTimestamps: "200101000000Z", reason: "superseded")))
        let list = Node(try #require(lists.first).der.array)
        var tree = Node(
            try CMSSigner(key: try fixture.signingKey(.good)).sign(detached: content, signingTime: TrustFixture.now)
                .array)
        if place == "crls" {
            // id-ri-ocsp-response
            let kind = Node(0x06, content: [0x2B, 6, 1, 5, 5, 7, 0x10, 2])
            tree.children[1].children[0].children.insert(Node(0xA1, [list, Node(0xA1, [kind, response])]), at: 4)
        } else if place == "attribute" {
            // revocation-values
            let kind = Node(0x06, content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 0x10, 2, 24])
            let basic = Node(response.children[1].children[0].children[1].content)
            let values = Node(0x30, [Node(0xA0, [Node(0x30, [list])]), Node(0xA1, [Node(0x30, [basic])])])
            let attribute = Node(0x30, [kind, Node(0x31, [values])])
            tree.children[1].children[0].children[4].children[0].children.append(Node(0xA1, [attribute]))
        }
        let verifier = CMSVerifier(policy: try fixture.policy(.require, asks: false), use: .mail)
        let verification = try verifier.verify(OctetString(tree.octets), content: content, now: TrustFixture.now)
        #expect(verification.verdict == (place == "none" ? .indeterminate : .trusted), "\(verification.details)")
        // Wherever it stood, it is the same answer.
        let answers = try #require(verification.signers.first).evidence.responses.map(\.enveloped.array)
        #expect(answers == (place == "none" ? [] : [response.octets]))
    }

    @Test("damaged, duplicate or missing certificates never improve the verdict")
    func certificates() throws {
        let demonstration = try Demonstration.shared.get()
        let tree = Node(
            try CMSSigner(key: demonstration.alice, isCAdES: true)
                .sign(detached: content, signingTime: Demonstration.now).array)
        func verdict(_ change: (inout Node) -> Void) throws -> TrustVerdict? {
            var changed = tree
            change(&changed.children[1].children[0])
            let verifier = CMSVerifier(policy: demonstration.policy, use: .mail)
            return try? verifier.verify(OctetString(changed.octets), content: content, now: Demonstration.now).verdict
        }
        #expect(try verdict { _ in } == .trusted)
        #expect(try verdict { $0.children[3].children += $0.children[3].children } == .trusted)
        #expect(try verdict { $0.children.remove(at: 3) } == .indeterminate)
        #expect(try verdict { $0.children[3].children = [Node(0x30)] } == nil)
        #expect(try verdict { $0.children.insert($0.children[3], at: 3) } == nil)
        // The signature names its certificate: one with the same issuer and number is not enough.
        let stranger = demonstration.stranger.certificate
        #expect(try verdict { $0.children[3].children = [Node(stranger.der.array)] } == .indeterminate)
    }
}
