import CMSSignatures
import Octets
import TestSupport
import Testing

@Suite("Timestamps (RFC 3161)")
struct TimestampTests {
    private let content = OctetString("content")

    private func failure(_ address: String) -> CryptographyError? {
        do throws(CryptographyError) {
            _ = try FixtureAuthority(address: address).timestamp(of: content)
        } catch { return error }
        return nil
    }

    @Test("contain what was requested")
    func token() async throws {
        let fixture = try await TrustFixture.shared
        let before = TrustFixture.now
        let token = try FixtureAuthority(address: fixture.address(.tsa)).timestamp(of: content)
        #expect(before...TrustFixture.now ~= token.time)
        #expect(token.accuracy == 1_500_000)
        #expect(token.policy == "1.3.6.1.4.1.32473.1")
        #expect(token.digest == .sha256)
        #expect(try token.imprint == DigestAlgorithm.sha256.digest(of: content))
        #expect(try TimestampToken(token.octets).serial == token.serial)
    }

    @Test("are read by OpenSSL's command, query and answer")
    func openSSL() async throws {
        let fixture = try await TrustFixture.shared
        let scratch = try ScratchDirectory()
        let request = try TimestampRequest(of: content)
        let query = try scratch.write(request.query, to: "query")
        let shown = try await RunningProgram.run(
            "/usr/bin/openssl", ["ts", "-query", "-in", query, "-text"], asRoot: true)
        #expect(shown.status == 0 && shown.output.contains("Certificate required: yes"), "\(shown)")
        let response = try FixtureAuthority(address: fixture.address(.tsa)).response(to: request.query)
        _ = try request.token(in: response)
        let verified = try await RunningProgram.run(
            "/usr/bin/openssl",
            ["ts", "-verify", "-queryfile", query, "-in", try scratch.write(response, to: "response"), "-CAfile"]
                + [fixture.root], asRoot: true)
        #expect(verified.status == 0, "\(verified)")
        // Another query has another nonce.
        let other = try TimestampRequest(of: content)
        #expect(throws: CryptographyError.self) { try other.token(in: response) }
        let otherContent = try TimestampRequest(of: OctetString("Content"))
        #expect(throws: CryptographyError.self) { try otherContent.token(in: response) }
    }

    @Test("that are refused say why")
    func refused() async throws {
        let fixture = try await TrustFixture.shared
        let refused = try #require(failure(fixture.address(.refusing)))
        #expect(refused.kind == .failed && refused.reason.contains("rejected"), "\(refused)")
        #expect(refused.reason.contains("digest algorithm"), "\(refused)")
        #expect(failure("http://127.0.0.1:\(try DSSFixture.deadPort())/tsa")?.kind == .failed)
    }

    @Test("from answers that are not timestamps are errors", arguments: ["", "0", "0\u{03}\u{02}\u{01}", "<html>"])
    func malformed(_ text: String) throws {
        let request = try TimestampRequest(of: content)
        #expect(throws: CryptographyError.self) { try request.token(in: OctetString(text)) }
    }

    @Test("on a signature prove its time, and OpenSSL's command accepts the signature", arguments: [Int?.none, 0])
    func signature(_ offset: Int?) async throws {
        let fixture = try await TrustFixture.shared
        let signer = CMSSigner(
            key: try fixture.signingKey(.plain), isCAdES: true,
            timestamps: FixtureAuthority(address: fixture.address(.tsa)))
        let before = TrustFixture.now
        let signature = try signer.sign(detached: content, signingTime: offset.map { TrustFixture.now + $0 })
        let verification = try CMSVerifier(policy: try fixture.policy(), use: .document)
            .verify(signature, content: content, now: TrustFixture.now)
        #expect(verification.verdict == .trusted, "\(verification.details)")
        let result = try #require(verification.signers.first)
        #expect(before...TrustFixture.now ~= (try #require(result.provenTime)))
        #expect((result.signingTime == nil) == (offset == nil))
        #expect(result.timestamps.first?.authority?.subject == "CN=Timestamps,O=Trust tests")
        let scratch = try ScratchDirectory()
        let file = try scratch.write(signature, to: "signature")
        for (text, isGood) in [("content", true), ("Content", false)] {
            let verified = try await RunningProgram.run(
                "/usr/bin/openssl",
                ["cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", file, "-content"]
                    + [
                        try scratch.write(Array(text.utf8), to: "content"), "-CAfile", fixture.root, "-out",
                        "/dev/null",
                    ],
                asRoot: true)
            #expect((verified.status == 0) == isGood, "\(verified)")
        }
        let shown = try await RunningProgram.run(
            "/usr/bin/openssl", ["cms", "-cmsout", "-print", "-inform", "DER", "-in", file], asRoot: true)
        // The timestamp has one of its own.
        #expect(shown.output.split(separator: "signingTime").count - 1 == (offset == nil ? 1 : 2))
        #expect(shown.output.contains("signingCertificateV2") && shown.output.contains("timeStampToken"))
    }

    @Test("make a signature trusted whose certificate expired since; without one, or with a stranger's, it is not")
    func expiredSince() async throws {
        let fixture = try await TrustFixture.shared
        let policy = try fixture.policy()
        func verdict(_ authority: TrustFixture.Authority?, _ signer: TrustFixture.Signer, days: Int) throws
            -> (TrustVerdict, SignerResult?)
        {
            let source = authority.map { FixtureAuthority(address: fixture.address($0)) }
            let signature = try CMSSigner(key: try fixture.signingKey(signer), timestamps: source)
                .sign(detached: content, signingTime: TrustFixture.now)
            var policy = policy
            policy.revocation = .none
            let now = TrustFixture.now + days * TrustFixture.day
            let verification = try CMSVerifier(policy: policy, use: .mail)
                .verify(signature, content: content, now: now)
            return (verification.verdict, verification.signers.first)
        }
        #expect(try verdict(.tsa, .expiring, days: 30).0 == .trusted)
        #expect(try verdict(nil, .expiring, days: 30).0 == .indeterminate)
        let (strange, result) = try verdict(.stranger, .expiring, days: 30)
        #expect(strange == .indeterminate)
        #expect(result?.provenTime == nil && result?.timestamps.first?.verdict == .indeterminate)
        #expect(try verdict(.tsa, .expired, days: 0).0 == .notTrusted)
        // One of a stranger proves nothing and does no harm.
        #expect(try verdict(.stranger, .expiring, days: 0).0 == .trusted)
        // The authority's own certificate ends too.
        #expect(try verdict(.tsa, .expiring, days: 4_000).0 != .trusted)
    }

    @Test("of another signature, and data that are not a timestamp, prove nothing and do no harm")
    func transplanted() async throws {
        let fixture = try await TrustFixture.shared
        let key = try fixture.signingKey(.plain)
        let authority = FixtureAuthority(address: fixture.address(.tsa))
        let signature = try CMSSigner(key: key).sign(detached: content, signingTime: TrustFixture.now)
        let foreign = try authority.timestamp(of: OctetString("another signature"))
        var evidence = SignerEvidence(certificate: key.certificate)
        evidence.others = key.chain
        evidence.timestamps = [SignerEvidence.Stamped(token: foreign.octets, content: signature)]
        let judge = SignerJudge(policy: try fixture.policy(), use: .document)
        let result = try judge.judge(evidence, now: TrustFixture.now)
        #expect(result.verdict == .trusted && result.provenTime == nil)
        #expect(result.timestamps.map(\.verdict) == [.notTrusted])
        evidence.timestamps = [
            SignerEvidence.Stamped(token: try authority.timestamp(of: signature).octets, content: signature)
        ]
        #expect(try judge.judge(evidence, now: TrustFixture.now).verdict == .trusted)
        evidence.weakAlgorithms = ["the digest sha-1"]
        #expect(try judge.judge(evidence, now: TrustFixture.now).verdict == .indeterminate)
        evidence.weakAlgorithms = []
        evidence.timestamps[0].token = OctetString("no token")
        let unread = try judge.judge(evidence, now: TrustFixture.now)
        #expect(unread.verdict == .trusted && unread.provenTime == nil)
    }

    @Test("of an authority that gave up its key in order stay valid; of one that lost its key they do not")
    func revokedAuthority() async throws {
        let fixture = try await TrustFixture.shared
        let token = try FixtureAuthority(address: fixture.address(.tsa)).timestamp(of: content)
        func result(_ date: String, _ reason: String) async throws -> TimestampResult {
            var policy = try fixture.policy(asks: false)
            let list = OctetString(try await fixture.rootList(revokingTimestamps: date, reason: reason))
            policy.revocationLists = try RevocationList.readAll(list)
            return try TimestampVerifier(policy: policy).verify(token.octets, of: content, now: TrustFixture.now)
        }
        let superseded = try await result("400101000000Z", "superseded")
        #expect(superseded.provenTime == token.time, "\(superseded.details)")
        for (date, reason) in [
            ("400101000000Z", "keyCompromise"), ("200101000000Z", "superseded"), ("200101000000Z", "keyCompromise"),
        ] {
            let lost = try await result(date, reason)
            #expect(lost.provenTime == nil)
            #expect(lost.details.map(\.kind) == [.revocationStatus])
        }
    }

    @Test("that are no tokens prove nothing")
    func otherContent() async throws {
        let fixture = try await TrustFixture.shared
        let verifier = TimestampVerifier(policy: try fixture.policy())
        let signed = try CMSSigner(key: try fixture.signingKey(.plain))
            .sign(enclosing: content, signingTime: TrustFixture.now).collected()
        let result = try verifier.verify(signed, of: content, now: TrustFixture.now)
        #expect(result.verdict == .notTrusted && result.provenTime == nil)
    }

    @Test("damaged anywhere never prove a time")
    func damaged() async throws {
        let fixture = try await TrustFixture.shared
        let token = try FixtureAuthority(address: fixture.address(.tsa)).timestamp(of: content)
        let verifier = TimestampVerifier(policy: try fixture.policy(.none))
        let sound = try verifier.verify(token.octets, of: content, now: TrustFixture.now)
        #expect(sound.provenTime == token.time)
        var generator = SeededNumbers(seed: 0x7541)
        for _ in 0..<400 {
            var octets = token.octets.array
            octets[Int.random(in: octets.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            let result = try verifier.verify(OctetString(octets), of: content, now: TrustFixture.now)
            // Nothing but the time that was signed, whatever a change outside the signed octets may leave sound.
            #expect(result.provenTime == nil || result.provenTime == token.time)
        }
    }
}
