import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Paired with Postfix and Dovecot")
    struct PairedWithPostfix {
        @Test("a submitted mail goes out signed to a mailbox read by POP3, and the signed answer comes in verified")
        func roundTrip() async throws {
            let house = try await MailHouse.shared
            let id = MailHouse.identifier()
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(to: PartnerAuthority.carol, id: id), from: MailSamples.alice,
                to: [PartnerAuthority.carol])
            let received = try #require(try await house.messages(id, of: PartnerAuthority.carol).first)
            let verified = try await OpenSSL.verify(received, anchor: house.anchor)
            #expect(verified.status == 0, "\(verified)\n\(String(decoding: received, as: UTF8.self))\n\(house.logs)")
            #expect(try await OpenSSL.signerAddresses(received, anchor: house.anchor) == [MailSamples.alice])
            let letter = try await PythonReading.of(received)
            #expect(letter.values("Return-Path") == ["<\(MailSamples.alice)>"])
            #expect(letter.values("Delivered-To") == [PartnerAuthority.carol])
            #expect(letter.fields.allSatisfy { !($0.first ?? "").lowercased().hasPrefix("x-ses-") })
            // DKIM signed what really left.
            #expect(letter.values("DKIM-Signature").count == 1)
            #expect(letter.values("Authentication-Results").contains { $0.contains("dkim=pass") }, "\(letter.fields)")

            let answer = try await house.authority.signed(to: MailSamples.alice, subject: "Re: \(id)", text: "Agreed.")
            try await house.outside.deliver(answer, from: PartnerAuthority.carol, to: [MailSamples.alice])
            let back = try await eventually("the answer \(house.logs)") {
                try await house.dovecot.messages(of: MailSamples.alice).first {
                    $0.firstRange(of: Array("Re: \(id)".utf8)) != nil
                }
            }
            let answered = try await PythonReading.of(back)
            let results = answered.values("Authentication-Results")
            #expect(results.contains { $0.contains("smime=pass") && $0.contains(PartnerAuthority.carol) }, "\(results)")
            #expect(try await OpenSSL.verify(back, anchor: house.authority.certificate).status == 0)
        }

        @Test("a mail to five recipients of three domains, one by Bcc, is signed once and nobody learns of the Bcc")
        func blindCopy() async throws {
            let house = try await MailHouse.shared
            let id = MailHouse.identifier()
            let open = ["bob@example.test", "dora@example.test", PartnerAuthority.carol, "emil@elsewhere.test"]
            let blind = "frank@third.test"
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(to: open.joined(separator: ", "), fields: ["Bcc: Frank <\(blind)>"], id: id),
                from: MailSamples.alice, to: open + [blind])
            var texts: Set<[UInt8]> = []
            for user in open + [blind] {
                let copies = try await house.messages(id, of: user)
                #expect(copies.count == 1, "\(user)")
                let copy = try #require(copies.first)
                #expect(try await OpenSSL.verify(copy, anchor: house.anchor).status == 0, "\(user)")
                if user != blind {
                    #expect(copy.firstRange(of: Array("frank".utf8)) == nil, "\(user)")
                }
                let body = try #require(copy.firstRange(of: Array("\r\n\r\n".utf8)))
                texts.insert(Array(copy[body.upperBound...]))
            }
            // One signature, and one decision behind it.
            #expect(texts.count == 1)
            let told = try house.journal(ofMessage: id + "@example.test")
            #expect(Set(told.compactMap { $0["e"] }).count == 1, "\(told)")
        }

        @Test("a bounce passes unsigned in both directions and does not loop")
        func bounce() async throws {
            let house = try await MailHouse.shared
            // Out: a notice with the null sender, such as a receipt.
            let id = MailHouse.identifier()
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(to: PartnerAuthority.carol, id: id), from: "<>", to: [PartnerAuthority.carol])
            let copies = try await house.messages(id, of: PartnerAuthority.carol)
            #expect(copies.count == 1)
            let notice = try await PythonReading.of(try #require(copies.first))
            #expect(notice.values("Return-Path") == ["<>"])
            #expect(notice.parts.map(\.type) == ["text/plain"])

            // In: what the other server says of a mail that it cannot deliver.
            let lost = MailHouse.identifier()
            try await house.client(of: MailSamples.bob).deliver(
                MailSamples.plain(from: MailSamples.bob, to: "nobody-there@elsewhere.test", id: lost),
                from: MailSamples.bob, to: ["nobody-there@elsewhere.test"])
            let returned = try await house.messages(lost, of: MailSamples.bob)
            #expect(returned.count == 1)
            let report = try await PythonReading.of(try #require(returned.first))
            #expect(report.values("Return-Path") == ["<>"])
            #expect(report.part("message/delivery-status") != nil)

            // A bounce of a bounce: nobody gets it, and nothing is left on the way.
            try await house.outside.deliver(
                MailSamples.plain(from: "postmaster@elsewhere.test", to: MailSamples.bob, id: MailHouse.identifier()),
                from: "<>",
                to: [MailSamples.bob])
            try await house.settled()
        }

        @Test("submission accepts only one's own address, and no password in clear")
        func forgedSender() async throws {
            let house = try await MailHouse.shared
            let message = MailSamples.plain(from: MailSamples.bob, to: PartnerAuthority.carol)
            let forged = try await house.client(of: MailSamples.alice).send(
                message, from: MailSamples.bob, to: [PartnerAuthority.carol])
            #expect(forged.status != 0)
            #expect(forged.output.contains("553 5.7.1") && forged.output.contains("not owned by user"), "\(forged)")
            let guessed = try await house.client(of: MailSamples.alice, password: "wrong").send(
                message, from: MailSamples.alice, to: [PartnerAuthority.carol])
            #expect(guessed.status != 0 && guessed.output.contains("535 5.7.8"), "\(guessed)")
            var stranger = house.client(of: MailSamples.alice)
            stranger.user = nil
            let unknown = try await stranger.send(message, from: MailSamples.alice, to: [PartnerAuthority.carol])
            #expect(unknown.status != 0 && unknown.output.contains("530 5.7.0"), "\(unknown)")
            // Nor does the port for mail of others pass anything on to others.
            let relayed = try await house.door.send(
                message, from: MailSamples.bob, to: ["unknown@example.test"])
            #expect(relayed.status != 0 && relayed.output.contains("550 5.1.1"), "\(relayed)")
        }

        @Test("a From that is not the sender's goes to the administrator, not out with a signature")
        func forgedFrom() async throws {
            let house = try await MailHouse.shared
            let id = MailHouse.identifier()
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(from: MailSamples.bob, to: PartnerAuthority.carol, id: id), from: MailSamples.alice,
                to: [PartnerAuthority.carol])
            let told = try await eventually("a decision") {
                let told = try house.journal(ofMessage: id + "@example.test")
                return told.contains { $0["ev"] == "published" } ? told : nil
            }
            #expect(told.contains { $0["reason"]?.contains("SenderMustOwnFrom") == true }, "\(told)")
        }

        @Test("an address full of shell characters arrives unchanged")
        func shellWords() async throws { try await MailHouse.shared.expectShellWordsArrive() }

        @Test("DKIM is verified before SES, and the verdict stays beside that of SES")
        func domainKeys() async throws {
            let house = try await MailHouse.shared
            let id = MailHouse.identifier()
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(to: PartnerAuthority.carol, id: id), from: MailSamples.alice,
                to: [PartnerAuthority.carol])
            let sent = try #require(try await house.messages(id, of: PartnerAuthority.carol).first)
            // Carol's server sends it on to Dora, as a mailing list would.
            let head = try #require(sent.firstRange(of: Array("DKIM-Signature:".utf8)))
            try await house.outside.deliver(
                Array(sent[head.lowerBound...]), from: PartnerAuthority.carol, to: ["dora@example.test"])
            let forwarded = try #require(try await house.messages(id, of: "dora@example.test").first)
            let results = try await PythonReading.of(forwarded).values("Authentication-Results")
            #expect(results.contains { $0.contains("dkim.test") && $0.contains("dkim=pass") }, "\(results)")
            #expect(results.contains { $0.contains("smime=pass") }, "\(results)")
        }

        @Test("with --pipe, ses-drop puts all recipients into one file, which is signed once")
        func pipe() async throws {
            let house = try await MailHouse(.postfix(["--pipe"]))
            let id = MailHouse.identifier()
            let recipients = [MailSamples.bob, PartnerAuthority.carol]
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(to: recipients.joined(separator: ", "), id: id), from: MailSamples.alice,
                to: recipients)
            for user in recipients {
                let copy = try #require(try await house.messages(id, of: user).first)
                #expect(try await OpenSSL.verify(copy, anchor: house.anchor).status == 0, "\(user)")
            }
            let entries = Set(try house.journal(ofMessage: id + "@example.test").compactMap { $0["e"] })
            #expect(entries.count == 1)
            try await house.stop()
        }

        @Test("without ses-lmtp and ses-drop, each recipient's file is signed by itself and arrives")
        func noHelper() async throws {
            let house = try await MailHouse(.postfix(["--maildir", "--maildir-user", MailServers.accountAndGroup]))
            let id = MailHouse.identifier()
            let recipients = ["bob@example.test", PartnerAuthority.carol]
            try await house.client(of: MailSamples.alice).deliver(
                MailSamples.plain(to: recipients.joined(separator: ", "), id: id), from: MailSamples.alice,
                to: recipients)
            for user in recipients {
                let copies = try await house.messages(id, of: user)
                #expect(copies.count == 1)
                let copy = try #require(copies.first)
                #expect(try await OpenSSL.verify(copy, anchor: house.anchor).status == 0, "\(user)")
                #expect(try await PythonReading.of(copy).values("Delivered-To") == [user])
            }
            let entries = Set(try house.journal(ofMessage: id + "@example.test").compactMap { $0["e"] })
            #expect(entries.count == 2)
            try await house.stop()
        }
    }
}
