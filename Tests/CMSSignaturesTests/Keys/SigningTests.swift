import CMSSignatures
import Octets
import TestSupport
import Testing

@Suite("CMS signatures")
struct SigningTests {
    private let demonstration: Demonstration
    private let content = OctetString("Content-Type: text/plain\r\n\r\nHello\r\nBob\r\n")

    init() throws { demonstration = try Demonstration.shared.get() }

    private func signed(
        by key: SigningKey? = nil, at time: Int = Demonstration.now, digest: DigestAlgorithm = .sha256,
        isCAdES: Bool = false
    ) throws -> OctetString {
        try CMSSigner(key: key ?? demonstration.alice, digest: digest, isCAdES: isCAdES)
            .sign(detached: content, signingTime: time)
    }

    private func verify(
        _ signature: OctetString, _ content: OctetString?, policy: TrustPolicy? = nil, use: CertificateUse = .mail,
        now: Int = Demonstration.now
    ) throws -> CMSVerification {
        try CMSVerifier(policy: policy ?? demonstration.policy, use: use).verify(signature, content: content, now: now)
    }

    @Test("name their signer, time and digest", arguments: DigestAlgorithm.allCases)
    func facts(_ digest: DigestAlgorithm) throws {
        let facts = try CMSInspection.facts(of: try signed(digest: digest))
        #expect(!facts.enclosesContent)
        let signer = try #require(facts.signers.first)
        #expect(facts.signers.count == 1)
        #expect(signer.digestAlgorithm == digest.rawValue)
        #expect(signer.addresses == ["alice@example.test"])
        #expect(signer.subject == "CN=Alice,O=SES demonstration")
        #expect(signer.issuer == "CN=Tests,O=SES demonstration")
        #expect(signer.serial == demonstration.alice.certificate.serial)
        #expect(signer.signingTime == Demonstration.now)
    }

    @Test("escape characters that would split a name")
    func escapedNames() throws {
        let facts = try CMSInspection.facts(of: try signed(by: demonstration.documents))
        #expect(facts.signers.first?.subject == "CN=Documents\\, \\\"Ltd\\\",O=SES demonstration")
    }

    @Test("fit the signed content and nothing else")
    func integrity() throws {
        let signature = try signed()
        #expect(try CMSInspection.check(signature, content: content) == .intact)
        let tampered = OctetString(content.text.replacing("Bob", with: "Rob"))
        guard case .broken = try CMSInspection.check(signature, content: tampered) else {
            Issue.record("tampered content was taken")
            return
        }
        let bare = OctetString(content.text.replacing("\r\n", with: "\n"))
        guard case .broken = try CMSInspection.check(signature, content: bare) else {
            Issue.record("other line ends were taken")
            return
        }
        guard case .unknown = try CMSInspection.check(signature, content: nil) else {
            Issue.record("a detached signature was judged without content")
            return
        }
    }

    @Test("are accepted by OpenSSL's command", arguments: [false, true])
    func openSSL(_ isCAdES: Bool) async throws {
        let scratch = try ScratchDirectory()
        let signature = try scratch.write(try signed(isCAdES: isCAdES), to: "signature")
        let anchor = try scratch.write(Array(demonstration.authority.certificate.pem.utf8), to: "ca.pem")
        let moment = ["-attime", String(Demonstration.now)]
        func verify(_ content: OctetString) async throws -> Int32 {
            let path = try scratch.write(content, to: "content")
            return try await RunningProgram.run(
                "/usr/bin/openssl",
                ["cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", path, "-CAfile", anchor]
                    + ["-out", "/dev/null"] + moment + (isCAdES ? ["-cades"] : []), asRoot: true
            ).status
        }
        #expect(try await verify(content) == 0)
        #expect(try await verify(OctetString(content.text.replacing("Hello", with: "Jello"))) != 0)
        #expect(try await verify(OctetString(content.text.replacing("\r\n", with: "\n"))) != 0)
    }

    @Test("can enclose what they sign")
    func enclosing() async throws {
        let rope = try CMSSigner(key: demonstration.alice).sign(enclosing: content, signingTime: Demonstration.now)
        let signature = rope.collected()
        #expect(try CMSInspection.facts(of: signature).enclosesContent)
        #expect(try CMSInspection.check(signature, content: nil) == .intact)
        #expect(try verify(signature, nil).verdict == .trusted)
        let scratch = try ScratchDirectory()
        let path = try scratch.write(signature, to: "signature")
        let anchor = try scratch.write(Array(demonstration.authority.certificate.pem.utf8), to: "ca.pem")
        let verified = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["cms", "-verify", "-binary", "-inform", "DER", "-in", path, "-CAfile", anchor, "-attime"]
                + [String(Demonstration.now), "-out", scratch.file("content")], asRoot: true)
        #expect(verified.status == 0, "\(verified)")
        #expect(try TestMaterial.octets(scratch.file("content")) == content.array)
    }

    @Test("enclose content of any size", arguments: [0, 1, 127, 128, 255, 256, 65_535, 65_536, 3_000_000])
    func enclosedSizes(_ size: Int) throws {
        let content = OctetString(count: size) { buffer in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 7) }
        }
        let rope = try CMSSigner(key: demonstration.alice).sign(enclosing: content, signingTime: Demonstration.now)
        let signature = rope.collected()
        #expect(rope.count == signature.count)
        #expect(try CMSInspection.check(signature, content: nil) == .intact)
        #expect(try CMSInspection.check(signature, content: content) == .intact)
    }

    // MARK: Trust

    @Test("are trusted if everything is in order")
    func trusted() throws {
        let verification = try verify(try signed(), content)
        #expect(verification.verdict == .trusted)
        #expect(verification.details.isEmpty)
        #expect(verification.signers.first?.signingTime == Demonstration.now)
    }

    @Test("of an unknown issuer are indeterminate")
    func stranger() throws {
        let verification = try verify(try signed(by: demonstration.stranger), content)
        #expect(verification.verdict == .indeterminate)
        #expect(verification.details.allSatisfy { $0.kind == .issuerTrust && $0.level == .indeterminate })
    }

    @Test("are not trusted when the certificate had expired before")
    func expired() throws {
        let verification = try verify(try signed(by: demonstration.expired), content)
        #expect(verification.verdict == .notTrusted)
        #expect(verification.details.map(\.kind) == [.validityInterval])
    }

    @Test(
        "whose certificate expired since the claimed signing time are indeterminate, because nothing proves the claim")
    func expiredSince() throws {
        let then = Demonstration.now - Demonstration.year - 86_400
        let verification = try verify(try signed(by: demonstration.expired, at: then), content)
        #expect(verification.verdict == .indeterminate)
        #expect(verification.details.map(\.kind) == [.validityInterval])
    }

    @Test("before the certificate is valid are not trusted")
    func notYetValid() throws {
        let verification = try verify(try signed(), content, now: Demonstration.now - 4 * Demonstration.year)
        #expect(verification.verdict == .notTrusted)
    }

    @Test("of a certificate for another purpose are not trusted on mail")
    func purpose() throws {
        let signature = try signed(by: demonstration.client)
        #expect(try verify(signature, content).verdict == .notTrusted)
        #expect(try verify(signature, content, use: .document).verdict == .trusted)
    }

    @Test("are indeterminate when revocation must be known and is not")
    func revocationRequired() throws {
        var policy = demonstration.policy
        policy.revocation = .require
        let verification = try verify(try signed(), content, policy: policy)
        #expect(verification.verdict == .indeterminate)
        #expect(verification.details.allSatisfy { $0.kind == .revocationStatus })
    }

    @Test("are trusted up to an anchor that is not self-signed")
    func partialChain() throws {
        let policy = TrustPolicy(anchors: [demonstration.alice.certificate])
        #expect(try verify(try signed(), content, policy: policy).verdict == .trusted)
    }

    @Test("that enclose other content than the given one are not trusted")
    func otherContentEnclosed() throws {
        let signature = try signed()
        let enclosing = try CMSSigner(key: demonstration.alice)
            .sign(enclosing: OctetString("another text"), signingTime: Demonstration.now).collected()
        #expect(try verify(enclosing, OctetString("another text")).verdict == .trusted)
        // The detached signature's own content beside the other's: the digest fits the content given, and not the one
        // shown.
        let inner = OctetString("another text").array
        let octets = enclosing.array
        let place = try #require(octets.firstRange(of: inner))
        var shown = octets
        shown.replaceSubrange(place, with: Array("ANOTHER TEXT".utf8))
        let verification = try verify(OctetString(shown), OctetString("another text"))
        #expect(verification.verdict == .notTrusted)
        #expect(verification.signers.allSatisfy { $0.verdict == .trusted })
        #expect(try verify(signature, content).verdict == .trusted)
    }

    // MARK: Damage

    @Test("damaged anywhere are never trusted, and never stop the program")
    func mutated() throws {
        let rope = try CMSSigner(key: demonstration.alice).sign(enclosing: content, signingTime: Demonstration.now)
        let sound = rope.collected().array
        var generator = SeededNumbers(seed: 0x5E5)
        for _ in 0..<2_000 {
            var octets = sound
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                octets[Int.random(in: octets.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            guard octets != sound else { continue }
            let damaged = OctetString(octets)
            if let facts = try? CMSInspection.facts(of: damaged) { #expect(facts.signers.count <= 64) }
            let isIntact = (try? CMSInspection.check(damaged, content: nil)) == .intact
            let verdict = try? verify(damaged, nil).verdict
            // Outside what is signed (unsigned fields, the chain) a change may leave a signature that still fits.
            if verdict == .trusted { #expect(isIntact) }
        }
        for length in stride(from: 0, to: sound.count, by: 7) {
            #expect((try? CMSInspection.facts(of: OctetString(sound.prefix(length)))) == nil)
        }
    }

    @Test(
        "that are not SignedData are reported as such", arguments: ["", "0", "0\u{03}\u{02}\u{01}", "<xml/>", "hello"])
    func malformed(_ text: String) {
        #expect(throws: CryptographyError.self) { try CMSInspection.facts(of: OctetString(text)) }
    }
}
