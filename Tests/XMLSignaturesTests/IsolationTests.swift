import Foundation
import Glibc
import Octets
import TestSupport
import Testing

@testable import XMLSignatures

@Suite("Nothing outside of the document is touched")
struct IsolationTests {
    /// Tells of each opening of a file, and of each connection to a port.
    private final class Bait {
        let scratch: ScratchDirectory
        let path: String
        let port: Int
        private let watch: Int32
        private let listener: Int32

        init() throws {
            scratch = try ScratchDirectory()
            path = try scratch.write(Array("<secret/>".utf8), to: "bait.xml")
            watch = inotify_init1(Int32(IN_NONBLOCK))
            guard watch >= 0, inotify_add_watch(watch, path, UInt32(IN_OPEN)) >= 0 else {
                throw HarnessError("no inotify: \(errno)")
            }
            let nonblocking = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
            (listener, port) = try LoopbackPlace().boundSocket(nonblocking, backlog: 4)
        }

        deinit {
            close(watch)
            close(listener)
        }

        var wasOpened: Bool {
            var events = [UInt8](repeating: 0, count: 4_096)
            return read(watch, &events, events.count) > 0
        }

        var wasConnected: Bool {
            let connection = accept(listener, nil, nil)
            if connection >= 0 { close(connection) }
            return connection >= 0
        }
    }

    @Test("no file is opened and no connection made, whatever a document asks for")
    func bait() throws {
        let bait = try Bait()
        _ = try Signers.shared.sign("<a/>")
        for target in ["file://" + bait.path, bait.path, "http://127.0.0.1:\(bait.port)/x.xml"] {
            let reference = try PartSignature.reference("URI=\"\(target)\"", content: "<secret></secret>")
            let style =
                "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\">"
                + "<x:stylesheet version=\"1.0\" xmlns:x=\"http://www.w3.org/1999/XSL/Transform\">"
                + "<x:include href=\"\(target)\"/></x:stylesheet></ds:Transform>"
            let retrieval =
                "<ds:RetrievalMethod URI=\"\(target)\" Type=\"http://www.w3.org/2000/09/xmldsig#rawX509Certificate\"/>"
            let enveloped = try PartSignature.reference(
                "URI=\"\"", transforms: PartSignature.enveloped, content: "<a></a>")
            let styled = try PartSignature.reference("URI=\"\"", transforms: style, content: "")
            let documents = [
                "<!DOCTYPE a [<!ENTITY e SYSTEM \"\(target)\">]><a>&e;</a>", "<!DOCTYPE a SYSTEM \"\(target)\"><a/>",
                "<!DOCTYPE a [<!ENTITY % e SYSTEM \"\(target)\">%e;]><a/>",
                "<a xmlns:i=\"http://www.w3.org/2001/XInclude\"><i:include href=\"\(target)\"/></a>",
                "<?xml-stylesheet type=\"text/xsl\" href=\"\(target)\"?><a/>",
                "<a xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:noNamespaceSchemaLocation=\"\(target)\"/>",
                "<a>\(try PartSignature.sign(references: reference))</a>",
                try PartSignature.sign(references: reference),
                "<a>\(try PartSignature.sign(references: styled))</a>",
                "<a>\(try PartSignature.sign(references: enveloped, keyInfo: retrieval))</a>",
            ]
            for document in documents {
                for found in (try? XMLSignatureReading.signatures(in: OctetString(document))) ?? [] {
                    #expect(found.integrity != .intact)
                }
                _ = try? Signers.shared.sign(document)
                _ = try? XMLComparison.difference(original: OctetString(document), signed: OctetString(document))
            }
        }
        #expect(!bait.wasOpened)
        #expect(!bait.wasConnected)
        // The bait works.
        _ = try TestMaterial.octets(bait.path)
        #expect(bait.wasOpened)
    }
}
