import CMSSignatures
import Octets
import TestSupport
import Testing

@testable import PDFSignatures
